// The peer of the bench: a validating webhook as it is written in Go with the standard library alone. It reads the
// certificate again every 10 s, decodes the AdmissionReview with its object, and allows it.
//
//	peer-go PORT DIRECTORY
package main

import (
	"crypto/tls"
	"encoding/json"
	"log"
	"net/http"
	"os"
	"path/filepath"
	"sync/atomic"
	"time"
)

type request struct {
	UID       string                 `json:"uid"`
	Operation string                 `json:"operation"`
	Namespace string                 `json:"namespace"`
	Name      string                 `json:"name"`
	UserInfo  map[string]interface{} `json:"userInfo"`
	Object    map[string]interface{} `json:"object"`
	OldObject map[string]interface{} `json:"oldObject"`
}

type response struct {
	UID     string `json:"uid"`
	Allowed bool   `json:"allowed"`
}

type review struct {
	APIVersion string    `json:"apiVersion"`
	Kind       string    `json:"kind"`
	Request    *request  `json:"request,omitempty"`
	Response   *response `json:"response,omitempty"`
}

func answer(writer http.ResponseWriter, asked *http.Request) {
	var body review
	if err := json.NewDecoder(asked.Body).Decode(&body); err != nil || body.Request == nil {
		http.Error(writer, "not an AdmissionReview", http.StatusBadRequest)
		return
	}
	writer.Header().Set("Content-Type", "application/json")
	allowed := &response{UID: body.Request.UID, Allowed: true}
	_ = json.NewEncoder(writer).Encode(review{APIVersion: body.APIVersion, Kind: body.Kind, Response: allowed})
}

func main() {
	port, directory := os.Args[1], os.Args[2]
	var current atomic.Value
	load := func() error {
		pair, err := tls.LoadX509KeyPair(filepath.Join(directory, "tls.crt"), filepath.Join(directory, "tls.key"))
		if err == nil {
			current.Store(&pair)
		}
		return err
	}
	if err := load(); err != nil {
		log.Fatal(err)
	}
	go func() {
		for range time.Tick(10 * time.Second) {
			_ = load() // The pair that is served stays until another can be read.
		}
	}()
	server := http.Server{
		Addr:    "127.0.0.1:" + port,
		Handler: http.HandlerFunc(answer),
		TLSConfig: &tls.Config{
			MinVersion:     tls.VersionTLS13,
			GetCertificate: func(*tls.ClientHelloInfo) (*tls.Certificate, error) { return current.Load().(*tls.Certificate), nil },
		},
	}
	log.Fatal(server.ListenAndServeTLS("", ""))
}
