// A TLS server as a webhook in Go has one. Reads {"certificate":PEM,"key":PEM} from stdin and prints its port.
package main

import (
	"crypto/tls"
	"encoding/json"
	"fmt"
	"io"
	"log"
	"net"
	"net/http"
	"os"
)

type pair struct {
	Certificate string `json:"certificate"`
	Key         string `json:"key"`
}

func configOf(mode string, certificate tls.Certificate) *tls.Config {
	config := &tls.Config{Certificates: []tls.Certificate{certificate}, NextProtos: []string{"h2", "http/1.1"}}
	switch mode {
	case "tls12":
		config.MaxVersion = tls.VersionTLS12
	case "tls11":
		config.MinVersion = tls.VersionTLS10
		config.MaxVersion = tls.VersionTLS11
	case "mtls":
		config.ClientAuth = tls.RequireAnyClientCert
	case "mtls12":
		config.ClientAuth = tls.RequireAnyClientCert
		config.MaxVersion = tls.VersionTLS12
	}
	return config
}

func main() {
	var given pair
	if err := json.NewDecoder(os.Stdin).Decode(&given); err != nil {
		log.Fatal(err)
	}
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		log.Fatal(err)
	}
	server := &http.Server{
		Handler:  http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { fmt.Fprint(w, "{}") }),
		ErrorLog: log.New(io.Discard, "", 0),
	}
	fmt.Println(listener.Addr().(*net.TCPAddr).Port)
	if os.Args[1] == "http" {
		log.Fatal(server.Serve(listener))
	}
	certificate, err := tls.X509KeyPair([]byte(given.Certificate), []byte(given.Key))
	if err != nil {
		log.Fatal(err)
	}
	server.TLSConfig = configOf(os.Args[1], certificate)
	log.Fatal(server.ServeTLS(listener, "", ""))
}
