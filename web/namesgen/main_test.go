package main

import (
	"bytes"
	"os"
	"testing"
)

func TestNamesAreUpToDate(t *testing.T) {
	want, err := names()
	if err != nil {
		t.Fatal(err)
	}
	got, err := os.ReadFile("../src/text/names.gen.ts")
	if err != nil {
		t.Fatal(err)
	}
	if !bytes.Equal(got, want) {
		t.Error("web/src/text/names.gen.ts is not what the messages say: run go generate ./web")
	}
}
