// An admission webhook in Go behind webhook-certd: plain HTTP, and no certificate to care for.
// It denies objects without the label team. To run it: LISTEN_ADDRESS=127.0.0.1:9000 go run main.go
package main

import (
	"encoding/json"
	"log"
	"net/http"
	"os"
)

type metadata struct{ Labels map[string]string }
type review struct { // or AdmissionReview of k8s.io/api/admission/v1
	APIVersion string `json:"apiVersion"`
	Kind       string `json:"kind"`
	Request    *struct {
		UID, Operation string
		Object         struct{ Metadata metadata }
	} `json:"request,omitempty"`
	Response map[string]any `json:"response,omitempty"`
}

func validate(w http.ResponseWriter, r *http.Request) {
	var in review
	if err := json.NewDecoder(r.Body).Decode(&in); err != nil || in.Request == nil {
		http.Error(w, "not an AdmissionReview", http.StatusBadRequest)
		return
	}
	allowed := in.Request.Operation == "DELETE" || in.Request.Object.Metadata.Labels["team"] != ""
	response := map[string]any{"uid": in.Request.UID, "allowed": allowed}
	if !allowed {
		response["status"] = map[string]any{"code": 422, "message": "label team is missing"}
	}
	w.Header().Set("Content-Type", "application/json")
	json.NewEncoder(w).Encode(review{in.APIVersion, in.Kind, nil, response})
}

func main() {
	log.Fatal(http.ListenAndServe(os.Getenv("LISTEN_ADDRESS"), http.HandlerFunc(validate)))
}
