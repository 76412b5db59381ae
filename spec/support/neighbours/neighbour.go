// A webhook that terminates TLS itself: neighbour DIRECTORY PORT. It reads its certificate as the certificate watcher of
// controller-runtime does: when something in the directory changes, and every 10 s.
package main

import (
	"crypto/tls"
	"encoding/json"
	"log"
	"net/http"
	"os"
	"path/filepath"
	"sync/atomic"
	"syscall"
	"time"
)

var current atomic.Value

func load(directory string) error {
	pair, err := tls.LoadX509KeyPair(filepath.Join(directory, "tls.crt"), filepath.Join(directory, "tls.key"))
	if err == nil {
		current.Store(&pair)
	}
	return err
}

func watch(directory string, changed chan<- struct{}) {
	handle, err := syscall.InotifyInit()
	if err != nil {
		return
	}
	if _, err = syscall.InotifyAddWatch(handle, directory, syscall.IN_CREATE|syscall.IN_MOVED_TO|syscall.IN_DELETE); err != nil {
		return
	}
	buffer := make([]byte, 4096)
	for {
		if _, err := syscall.Read(handle, buffer); err != nil {
			return
		}
		changed <- struct{}{}
	}
}

func review(writer http.ResponseWriter, request *http.Request) {
	var body struct {
		APIVersion string `json:"apiVersion"`
		Request    struct {
			UID string `json:"uid"`
		} `json:"request"`
	}
	if json.NewDecoder(request.Body).Decode(&body) != nil {
		http.Error(writer, "no review", http.StatusBadRequest)
		return
	}
	writer.Header().Set("Content-Type", "application/json")
	response := map[string]any{"uid": body.Request.UID, "allowed": true}
	_ = json.NewEncoder(writer).Encode(map[string]any{"apiVersion": body.APIVersion, "kind": "AdmissionReview", "response": response})
}

func main() {
	directory, port := os.Args[1], os.Args[2]
	for load(directory) != nil {
		time.Sleep(100 * time.Millisecond)
	}
	changed := make(chan struct{})
	go watch(directory, changed)
	go func() {
		for {
			select {
			case <-changed:
			case <-time.After(10 * time.Second):
			}
			_ = load(directory)
		}
	}()
	certificate := func(*tls.ClientHelloInfo) (*tls.Certificate, error) { return current.Load().(*tls.Certificate), nil }
	server := &http.Server{
		Addr:      "127.0.0.1:" + port,
		Handler:   http.HandlerFunc(review),
		TLSConfig: &tls.Config{GetCertificate: certificate},
		ErrorLog:  log.New(os.Stderr, "", 0),
	}
	log.Fatal(server.ListenAndServeTLS("", ""))
}
