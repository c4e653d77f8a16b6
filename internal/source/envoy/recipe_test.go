package envoy

import (
	"os"
	"strings"
	"testing"

	"github.com/goccy/go-yaml"
	"google.golang.org/protobuf/encoding/protojson"
	"google.golang.org/protobuf/proto"

	bootstrap "github.com/envoyproxy/go-control-plane/envoy/config/bootstrap/v3"
	_ "github.com/envoyproxy/go-control-plane/envoy/extensions/access_loggers/grpc/v3"
	_ "github.com/envoyproxy/go-control-plane/envoy/extensions/filters/http/router/v3"
	manager "github.com/envoyproxy/go-control-plane/envoy/extensions/filters/network/http_connection_manager/v3"
	_ "github.com/envoyproxy/go-control-plane/envoy/extensions/upstreams/http/v3"
)

// TestRecipes: what the documents tell people to configure is what Envoy's own
// types take.
func TestRecipes(t *testing.T) {
	for _, lang := range []string{"en", "zh"} {
		b, err := os.ReadFile("../../../docs/" + lang + "/RECIPES.md")
		if err != nil {
			t.Fatal(err)
		}
		_, section, ok := strings.Cut(string(b), "\n## Envoy\n")
		if !ok {
			t.Fatalf("%s has no section on Envoy", lang)
		}
		section, _, _ = strings.Cut(section, "\n## ")
		var configs []string
		for rest := section; ; {
			_, after, ok := strings.Cut(rest, "```yaml\n")
			if !ok {
				break
			}
			var text string
			text, rest, _ = strings.Cut(after, "```")
			configs = append(configs, text)
		}
		if len(configs) != 2 {
			t.Fatalf("%s: %d configurations", lang, len(configs))
		}
		var whole bootstrap.Bootstrap
		decode(t, configs[0], &whole)
		if err := whole.ValidateAll(); err != nil {
			t.Errorf("%s: %v", lang, err)
		}
		var m manager.HttpConnectionManager
		decode(t, configs[1], &m)
		if len(m.AccessLog) != 1 {
			t.Errorf("%s: %d access logs", lang, len(m.AccessLog))
		}
	}
}

func decode(t *testing.T, text string, into interface {
	ValidateAll() error
}) {
	t.Helper()
	js, err := yaml.YAMLToJSON([]byte(text))
	if err != nil {
		t.Fatal(err)
	}
	m, ok := into.(proto.Message)
	if !ok {
		t.Fatal("no message")
	}
	if err := protojson.Unmarshal(js, m); err != nil {
		t.Fatalf("%v in\n%s", err, js)
	}
}
