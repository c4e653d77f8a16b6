package v1

import (
	"bytes"
	"os"
	"os/exec"
	"path/filepath"
	"testing"
)

// TestGeneratedCodeIsOfTheDocument makes the code anew.
func TestGeneratedCodeIsOfTheDocument(t *testing.T) {
	out := filepath.Join(t.TempDir(), "v1.gen.go")
	cmd := exec.Command("go", "tool", "oapi-codegen", "-config", "config.yaml", "-o", out, "../../../schema/openapi.yaml")
	if said, err := cmd.CombinedOutput(); err != nil {
		t.Fatalf("%v: %s", err, said)
	}
	want, err := os.ReadFile(out)
	if err != nil {
		t.Fatal(err)
	}
	got, err := os.ReadFile("v1.gen.go")
	if err != nil {
		t.Fatal(err)
	}
	if !bytes.Equal(got, want) {
		t.Error("v1.gen.go is not what go generate makes of schema/openapi.yaml: run go generate ./internal/api/v1")
	}
}
