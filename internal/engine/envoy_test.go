package engine_test

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"testing"
	"time"

	corev3 "github.com/envoyproxy/go-control-plane/envoy/config/core/v3"
	modev3 "github.com/envoyproxy/go-control-plane/envoy/extensions/filters/http/ext_proc/v3"
	extproc "github.com/envoyproxy/go-control-plane/envoy/service/ext_proc/v3"
	"google.golang.org/grpc"
	"google.golang.org/grpc/credentials/insecure"
	"google.golang.org/protobuf/types/known/structpb"

	"xiezhi/internal/exchange"
	"xiezhi/internal/report"
	"xiezhi/internal/source"
	"xiezhi/internal/source/envoy"
)

// shown has the exchanges of HAR lines told as Envoy's ext_proc filter tells
// them in observability mode.
func shown(t *testing.T, harl []byte) *report.Report {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	return live(t, []source.Source{envoy.New(envoy.Config{Listener: l})}, func() {
		conn, err := grpc.NewClient(l.Addr().String(), grpc.WithTransportCredentials(insecure.NewCredentials()))
		if err != nil {
			t.Fatal(err)
		}
		defer func() { _ = conn.Close() }()
		client := extproc.NewExternalProcessorClient(conn)
		var dec exchange.HARDecoder
		for line := range bytes.Lines(harl) {
			var x exchange.Exchange
			if err := dec.Decode(bytes.TrimSpace(line), &x); err != nil {
				t.Fatal(err)
			}
			show(t, client, &x)
		}
	})
}

func show(t *testing.T, client extproc.ExternalProcessorClient, x *exchange.Exchange) {
	t.Helper()
	stream, err := client.Process(context.Background())
	if err != nil {
		t.Fatal(err)
	}
	head := func(list []exchange.Field, pseudo ...string) *corev3.HeaderMap {
		m := &corev3.HeaderMap{}
		add := func(name string, value []byte) {
			m.Headers = append(m.Headers, &corev3.HeaderValue{Key: name, RawValue: value})
		}
		for i := 0; i+1 < len(pseudo); i += 2 {
			add(pseudo[i], []byte(pseudo[i+1]))
		}
		for _, f := range list {
			if name := string(bytes.ToLower(f.Name)); name != "host" && name != "connection" {
				add(name, f.Value)
			}
		}
		return m
	}
	seen, err := structpb.NewStruct(map[string]any{"source.address": x.Client.String(), "destination.address": x.Server.String(), "request.protocol": "HTTP/1.1",
		"request.time": time.Unix(0, x.Start).UTC().Format(time.RFC3339Nano)})
	if err != nil {
		t.Fatal(err)
	}
	messages := []*extproc.ProcessingRequest{
		{
			Request: &extproc.ProcessingRequest_RequestHeaders{RequestHeaders: &extproc.HttpHeaders{EndOfStream: len(x.Request.Body) == 0,
				Headers: head(x.Request.Header, ":authority", string(x.Host), ":path", string(x.Target), ":method", string(x.Method), ":scheme", "http")}},
			Attributes:     map[string]*structpb.Struct{"envoy.filters.http.ext_proc": seen},
			ProtocolConfig: &extproc.ProtocolConfiguration{RequestBodyMode: modev3.ProcessingMode_STREAMED, ResponseBodyMode: modev3.ProcessingMode_STREAMED},
		},
	}
	if b := x.Request.Body; len(b) > 0 {
		messages = append(messages,
			&extproc.ProcessingRequest{Request: &extproc.ProcessingRequest_RequestBody{RequestBody: &extproc.HttpBody{Body: b[:len(b)/2]}}},
			&extproc.ProcessingRequest{Request: &extproc.ProcessingRequest_RequestBody{RequestBody: &extproc.HttpBody{Body: b[len(b)/2:], EndOfStream: true}}})
	}
	messages = append(messages,
		&extproc.ProcessingRequest{Request: &extproc.ProcessingRequest_ResponseHeaders{ResponseHeaders: &extproc.HttpHeaders{Headers: head(x.Response.Header, ":status", fmt.Sprint(x.Status))}}},
		&extproc.ProcessingRequest{Request: &extproc.ProcessingRequest_ResponseBody{ResponseBody: &extproc.HttpBody{Body: x.Response.Body, EndOfStream: true}}})
	for _, m := range messages {
		m.ObservabilityMode = true
		if err := stream.Send(m); err != nil {
			t.Fatal(err)
		}
	}
	_ = stream.CloseSend()
	if _, err := stream.Recv(); !errors.Is(err, io.EOF) {
		t.Fatal(err)
	}
}
