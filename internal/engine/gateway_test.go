package engine_test

import (
	"bytes"
	"context"
	"crypto/rand"
	"fmt"
	"net"
	"net/http"
	"net/http/httptest"
	"net/netip"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"xiezhi/internal/engine"
	"xiezhi/internal/exchange"
	"xiezhi/internal/source"
	"xiezhi/internal/source/collector"
	"xiezhi/internal/source/sensor"
	"xiezhi/internal/source/tail"
)

// gateway is one server before the application, set up as docs/en/RECIPES.md
// says.
type gateway struct {
	name    string
	needs   []string                // programs, and files of modules
	recipe  string                  // language and a word of the block in RECIPES
	config  func(s *setting) string // the configuration around the recipe
	command func(s *setting) []string
	seen    func(*told) // leaves out what it cannot see; nil: it sees everything
	posts   bool        // it sends to a collector instead of writing a log
}

// setting is where things are in a test.
type setting struct {
	dir, recipe      string
	port             string // where the gateway listens
	app              string // address of the application
	collector, token string
}

func (s *setting) file(name string) string { return filepath.Join(s.dir, name) }

const modules = "/usr/lib/nginx/modules/"

var gateways = []gateway{
	{
		name: "nginx with Lua", needs: []string{"nginx", modules + "ndk_http_module.so", modules + "ngx_http_lua_module.so"}, recipe: "nginx lua_package_path", posts: true,
		config: func(s *setting) string {
			plugin, _ := filepath.Abs("../../plugins/nginx-lua")
			return nginxConf(s, "load_module "+modules+"ndk_http_module.so;\nload_module "+modules+"ngx_http_lua_module.so;\n",
				strings.NewReplacer("/usr/share/xiezhi", plugin, "http://127.0.0.1:8400", "http://"+s.collector, "TOKEN", s.token).Replace("access_log off;\n"+s.recipe))
		},
		command: nginxCommand,
	},
	{
		name: "nginx without Lua", needs: []string{"nginx"}, recipe: "nginx log_format", seen: pathsOnly,
		config: func(s *setting) string {
			return nginxConf(s, "", strings.ReplaceAll(s.recipe, "/var/log/nginx/xiezhi.log", s.file("access.log")))
		},
		command: nginxCommand,
	},
	{
		name: "HAProxy", needs: []string{"haproxy"}, recipe: "haproxy frontend", seen: pathsOnly,
		config: func(s *setting) string {
			return "defaults\n  timeout client 30s\n  timeout server 30s\n  timeout connect 5s\n" +
				strings.NewReplacer("0.0.0.0:8080", "127.0.0.1:"+s.port, "127.0.0.1:3000", s.app).Replace(s.recipe)
		},
		command: func(s *setting) []string {
			return []string{"sh", "-c", "exec haproxy -db -f '" + s.file("conf") + "' >> '" + s.file("access.log") + "'"}
		},
	},
	{
		name: "Apache", needs: []string{"apache2", "/usr/lib/apache2/modules/mod_proxy_http.so"}, recipe: "apache LogFormat", seen: pathsOnly,
		config: func(s *setting) string {
			load := ""
			for _, m := range []string{"mpm_event", "proxy", "proxy_http", "authz_core"} {
				load += "LoadModule " + m + "_module /usr/lib/apache2/modules/mod_" + m + ".so\n"
			}
			return load + "ServerName shop.example.com\nDefaultRuntimeDir " + s.dir + "\nPidFile " + s.file("pid") + "\nErrorLog " + s.file("error.log") + "\nListen 127.0.0.1:" + s.port +
				"\nUser nobody\nGroup nogroup\nProxyPreserveHost On\nProxyPass / http://" + s.app + "/\n" + strings.ReplaceAll(s.recipe, "/var/log/apache2/xiezhi.log", s.file("access.log"))
		},
		command: func(s *setting) []string { return []string{"apache2", "-X", "-f", s.file("conf")} },
	},
	{
		name: "Caddy", needs: []string{"caddy"}, recipe: "caddyfile reverse_proxy", seen: pathsOnly,
		config: func(s *setting) string {
			return "{\n\tadmin off\n}\n" + strings.NewReplacer(":8080", ":"+s.port, "127.0.0.1:3000", s.app, "/var/log/caddy/access.log", s.file("access.log")).Replace(s.recipe)
		},
		command: func(s *setting) []string {
			return []string{"env", "HOME=" + s.dir, "caddy", "run", "--adapter", "caddyfile", "--config", s.file("conf")}
		},
	},
}

// nginxConf is what stands around the recipe's part of the http block.
func nginxConf(s *setting, load, recipe string) string {
	temp := ""
	for _, t := range []string{"client_body", "proxy", "fastcgi", "uwsgi", "scgi"} {
		temp += t + "_temp_path " + s.file(t) + ";\n"
	}
	return load + "daemon off;\nworker_processes 2;\npid " + s.file("pid") + ";\nerror_log " + s.file("error.log") + " error;\nevents {}\nhttp {\n" + temp + recipe +
		"\nserver {\nlisten 127.0.0.1:" + s.port + ";\nlocation / { proxy_pass http://" + s.app + "; proxy_set_header Host $http_host; proxy_http_version 1.1; }\n}\n}\n"
}

func nginxCommand(s *setting) []string {
	return []string{"nginx", "-e", s.file("error.log"), "-c", s.file("conf")}
}

// recipe finds a fenced block by its language and a word in it.
func recipe(t *testing.T, lang, what string) string {
	t.Helper()
	b, err := os.ReadFile("../../docs/" + lang + "/RECIPES.md")
	if err != nil {
		t.Fatal(err)
	}
	fence, word, _ := strings.Cut(what, " ")
	for _, block := range strings.Split(string(b), "\n```"+fence+"\n")[1:] {
		text, _, _ := strings.Cut(block, "\n```")
		if strings.Contains(text, word) {
			return text + "\n"
		}
	}
	t.Fatalf("docs/%s/RECIPES.md has no block of %s with %s", lang, fence, word)
	return ""
}

// TestGatewaysAgree plays the session through the servers of docs/RECIPES, set
// up as it says there: each must tell what the capture between client and
// server tells, as far as it sees it.
func TestGatewaysAgree(t *testing.T) {
	for _, g := range gateways {
		t.Run(g.name, func(t *testing.T) {
			text := recipe(t, "en", g.recipe)
			if text != recipe(t, "zh", g.recipe) {
				t.Error("the two languages give different recipes")
			}
			requirePrograms(t, g)
			app := httptest.NewServer(shop())
			defer app.Close()
			s := &setting{dir: openDir(t), recipe: text, app: app.Listener.Addr().String(), port: freePort(t), token: "a-token-of-the-gateway"}
			var src source.Source
			if g.posts {
				l, err := net.Listen("tcp", "127.0.0.1:0")
				if err != nil {
					t.Fatal(err)
				}
				s.collector = l.Addr().String()
				tokens, err := sensor.ParseTokens("tokens", []byte("gateway "+s.token))
				if err != nil {
					t.Fatal(err)
				}
				if src, err = collector.New(collector.Config{Listener: l, Tokens: tokens, Random: rand.Reader, Now: time.Now}); err != nil {
					t.Fatal(err)
				}
			} else {
				f, err := tail.New(tail.Config{Paths: []string{s.file("access.log")}, Every: 10 * time.Millisecond})
				if err != nil {
					t.Fatal(err)
				}
				src = f
			}
			serve(t, s, g)
			wire := newRelay(t, "127.0.0.1:"+s.port)
			requests := 0
			var packets []byte
			harl := record(t, src, func(count func() int) {
				requests = play(t, "http", wire.addr(), func(ip netip.Addr) http.RoundTripper { return from(ip) })
				packets = wire.capture()
				for range 400 {
					if count() >= requests {
						break
					}
					time.Sleep(25 * time.Millisecond)
				}
			})
			capture := input("session.pcap", packets)
			want, got := tell(analyse(t, engine.AnalyzeConfig{Inputs: []source.Input{capture}})), tell(analyse(t, engine.AnalyzeConfig{Inputs: []source.Input{input("gateway.harl", harl)}}))
			if want.Exchanges != uint64(requests) || len(want.APIs) != 4 {
				t.Fatalf("the capture tells too little to compare: %+v", want)
			}
			wantList, gotList := exchanges(t, convert(t, engine.HARL, capture), g.seen == nil), exchanges(t, harl, g.seen == nil)
			if d := cmp.Diff(wantList, gotList); d != "" {
				t.Errorf("exchanges differ (-capture +gateway):\n%.3000s", d)
			}
			if g.seen != nil {
				g.seen(&want)
				g.seen(&got)
			}
			if d := cmp.Diff(want, got); d != "" {
				t.Errorf("the gateway tells otherwise (-capture +gateway):\n%s", d)
			}
		})
	}
}

// requirePrograms skips a test whose server is not there.
func requirePrograms(t *testing.T, g gateway) {
	t.Helper()
	for _, n := range g.needs {
		if _, err := exec.LookPath(n); err != nil {
			if _, err := os.Stat(n); err != nil {
				t.Skipf("%s is not installed", n)
			}
		}
	}
}

// openDir is a folder for servers that give up their rights.
func openDir(t *testing.T) string {
	t.Helper()
	dir := t.TempDir()
	for d := dir; len(d) > len(os.TempDir()); d = filepath.Dir(d) {
		if err := os.Chmod(d, 0o777); err != nil {
			t.Fatal(err)
		}
	}
	return dir
}

// record converts what a source gives while something happens; count says how
// much has come so far.
func record(t *testing.T, src source.Source, happen func(count func() int)) []byte {
	t.Helper()
	var out lines
	until, end := context.WithCancel(context.Background())
	done := make(chan error)
	go func() {
		_, err := engine.Convert(context.Background(), engine.ConvertConfig{To: engine.HARL, Live: engine.Live{Sources: []source.Source{src}, Until: until}}, &out)
		done <- err
	}()
	happen(out.count)
	end()
	if err := <-done; err != nil {
		t.Fatal(err)
	}
	return out.bytes()
}

// exchanges lists what was asked and answered, sorted: times differ a little,
// and with them the order.
func exchanges(t *testing.T, harl []byte, bodies bool) []string {
	t.Helper()
	var d exchange.HARDecoder
	var x exchange.Exchange
	var out []string
	for line := range bytes.Lines(harl) {
		if err := d.Decode(bytes.TrimSpace(line), &x); err != nil {
			t.Fatal(err)
		}
		s := fmt.Sprintf("%s %s %s%s %d %d", x.Client.Addr(), x.Method, x.Host, x.Target, x.Status, x.Response.BodySize)
		if bodies {
			s += fmt.Sprintf(" %s %s", x.Request.Body, x.Response.Body)
			for _, f := range x.Request.Header {
				s += fmt.Sprintf(" %s=%s", f.Name, f.Value)
			}
		}
		out = append(out, s)
	}
	slices.Sort(out)
	return out
}

// serve starts the server and waits until it answers.
func serve(t *testing.T, s *setting, g gateway) {
	t.Helper()
	if err := os.WriteFile(s.file("conf"), []byte(g.config(s)), 0o644); err != nil {
		t.Fatal(err)
	}
	args := g.command(s)
	c := exec.Command(args[0], args[1:]...)
	var said bytes.Buffer
	c.Stdout, c.Stderr = &said, &said
	if err := c.Start(); err != nil {
		t.Fatal(err)
	}
	ended := make(chan error, 1)
	go func() { ended <- c.Wait() }()
	t.Cleanup(func() {
		_ = c.Process.Signal(os.Interrupt)
		select {
		case err := <-ended:
			t.Logf("%s ended: %v", g.name, err)
		case <-time.After(5 * time.Second):
			_ = c.Process.Kill()
			t.Logf("%s was killed: %v", g.name, <-ended)
		}
		if log, err := os.ReadFile(s.file("error.log")); t.Failed() && err == nil {
			t.Logf("%s\n%s", said.String(), log)
		}
	})
	for range 200 {
		conn, err := net.Dial("tcp", "127.0.0.1:"+s.port)
		if err == nil {
			_ = conn.Close()
			return
		}
		select {
		case err := <-ended:
			ended <- err
			t.Fatalf("%s ended: %v\n%s", g.name, err, said.String())
		case <-time.After(50 * time.Millisecond):
		}
	}
	t.Fatalf("%s does not listen: %s", g.name, said.String())
}

// freePort finds a port for a server that cannot pick one itself, below those
// that connections are given meanwhile.
func freePort(t *testing.T) string {
	t.Helper()
	for i := range 10_000 {
		port := fmt.Sprint(20_000 + (os.Getpid()*7+i)%10_000)
		if l, err := net.Listen("tcp", ":"+port); err == nil {
			_ = l.Close()
			return port
		}
	}
	t.Fatal("no port is free")
	return ""
}

// lines collects what is written and counts its lines.
type lines struct {
	mu sync.Mutex
	b  bytes.Buffer
	n  int
}

func (l *lines) Write(p []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.n += bytes.Count(p, []byte{'\n'})
	return l.b.Write(p)
}

func (l *lines) count() int    { l.mu.Lock(); defer l.mu.Unlock(); return l.n }
func (l *lines) bytes() []byte { l.mu.Lock(); defer l.mu.Unlock(); return l.b.Bytes() }

// TestPluginIsSmall: whoever puts it into his gateway can read all of it.
func TestPluginIsSmall(t *testing.T) {
	b, err := os.ReadFile("../../plugins/nginx-lua/xiezhi.lua")
	if err != nil {
		t.Fatal(err)
	}
	if n := bytes.Count(b, []byte{'\n'}); n > 300 {
		t.Errorf("the plug-in has %d lines", n)
	}
}
