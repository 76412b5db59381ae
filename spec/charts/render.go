// Renders a chart as Helm does: every template in one set, with Go's text/template, the functions of sprig, and those
// that Helm adds to them. One job a line on stdin, one result a line on stdout, both JSON.
package main

import (
	"bufio"
	"bytes"
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"sort"
	"strings"
	"text/template"

	"github.com/Masterminds/sprig"
	"gopkg.in/yaml.v3"
)

type job struct {
	Chart     string                 `json:"chart"`
	Values    map[string]interface{} `json:"values"`
	Meta      map[string]interface{} `json:"meta"`
	Name      string                 `json:"name"`
	Namespace string                 `json:"namespace"`
}

type result struct {
	Files map[string]string `json:"files,omitempty"`
	Error string            `json:"error,omitempty"`
}

type files struct{ folder string }

// Get is what .Files.Get does: the empty text for a file that there is not.
func (f files) Get(name string) string {
	content, err := os.ReadFile(filepath.Join(f.folder, name))
	if err != nil {
		return ""
	}
	return string(content)
}

func toYaml(value interface{}) (string, error) {
	var out bytes.Buffer
	encoder := yaml.NewEncoder(&out)
	encoder.SetIndent(2)
	if err := encoder.Encode(value); err != nil {
		return "", err
	}
	return strings.TrimSuffix(out.String(), "\n"), nil
}

func render(j job) (map[string]string, error) {
	set := template.New("chart").Option("missingkey=zero")
	functions := sprig.TxtFuncMap()
	// As Helm: a chart must not read the environment of who installs it.
	delete(functions, "env")
	delete(functions, "expandenv")
	functions["toYaml"] = toYaml
	functions["toJson"] = func(value interface{}) (string, error) {
		out, err := json.Marshal(value)
		return string(out), err
	}
	functions["fail"] = func(message string) (string, error) { return "", fmt.Errorf("%s", message) }
	functions["required"] = func(message string, value interface{}) (interface{}, error) {
		if value == nil || value == "" {
			return nil, fmt.Errorf("%s", message)
		}
		return value, nil
	}
	functions["include"] = func(name string, data interface{}) (string, error) {
		var out strings.Builder
		err := set.ExecuteTemplate(&out, name, data)
		return out.String(), err
	}
	set.Funcs(functions)
	paths, err := filepath.Glob(filepath.Join(j.Chart, "templates", "*"))
	if err != nil {
		return nil, err
	}
	sort.Strings(paths)
	for _, path := range paths {
		text, err := os.ReadFile(path)
		if err != nil {
			return nil, err
		}
		if _, err := set.New(filepath.Base(path)).Parse(string(text)); err != nil {
			return nil, err
		}
	}
	data := map[string]interface{}{
		"Values": j.Values,
		"Chart":  j.Meta,
		"Files":  files{j.Chart},
		"Release": map[string]interface{}{
			"Name": j.Name, "Namespace": j.Namespace, "Service": "Helm", "IsInstall": true, "IsUpgrade": false, "Revision": 1,
		},
	}
	rendered := map[string]string{}
	for _, path := range paths {
		name := filepath.Base(path)
		if strings.HasPrefix(name, "_") {
			continue
		}
		var out strings.Builder
		if err := set.ExecuteTemplate(&out, name, data); err != nil {
			return nil, err
		}
		rendered[name] = strings.ReplaceAll(out.String(), "<no value>", "")
	}
	return rendered, nil
}

func main() {
	lines := bufio.NewScanner(os.Stdin)
	lines.Buffer(nil, 1<<24)
	for lines.Scan() {
		var j job
		if err := json.Unmarshal(lines.Bytes(), &j); err != nil {
			panic(err)
		}
		answer := result{}
		if rendered, err := render(j); err != nil {
			answer.Error = err.Error()
		} else {
			answer.Files = rendered
		}
		out, err := json.Marshal(answer)
		if err != nil {
			panic(err)
		}
		fmt.Println(string(out))
	}
}
