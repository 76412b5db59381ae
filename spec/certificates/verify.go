// Verifies chains as a Go TLS client does, which is how kube-apiserver calls a webhook. Reads one case a line from
// standard input: the server's name, the presented chain and the trusted bundle (paths of PEM files), and prints "ok" or
// Go's error for each.
package main

import (
	"bufio"
	"crypto/x509"
	"encoding/pem"
	"fmt"
	"os"
	"strings"
)

func verify(name, chainFile, trustFile string) error {
	trust, err := os.ReadFile(trustFile)
	if err != nil {
		return err
	}
	chain, err := os.ReadFile(chainFile)
	if err != nil {
		return err
	}
	roots, intermediates := x509.NewCertPool(), x509.NewCertPool()
	roots.AppendCertsFromPEM(trust)
	var leaf *x509.Certificate
	for block, rest := pem.Decode(chain); block != nil; block, rest = pem.Decode(rest) {
		certificate, err := x509.ParseCertificate(block.Bytes)
		if err != nil {
			return err
		}
		if leaf == nil {
			leaf = certificate
		} else {
			intermediates.AddCert(certificate)
		}
	}
	_, err = leaf.Verify(x509.VerifyOptions{DNSName: name, Roots: roots, Intermediates: intermediates})
	return err
}

func main() {
	for scanner := bufio.NewScanner(os.Stdin); scanner.Scan(); {
		fields := strings.Fields(scanner.Text())
		if err := verify(fields[0], fields[1], fields[2]); err != nil {
			fmt.Println(strings.ReplaceAll(err.Error(), "\n", " "))
		} else {
			fmt.Println("ok")
		}
	}
}
