package main

import (
	"bufio"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
)

// CrowdSec runs on a file, alone: Debian's package with its hub and data files
// (CROWDSEC_ROOT says where it is unpacked, if it is not installed), nginx's
// parser and the base HTTP scenarios, one routine of each sort, its local API on
// the loopback interface with SQLite, and no online API.

// crowdsecLines is how many lines it gets: at a few thousand a second a whole
// log would take the better part of an hour.
const crowdsecLines = 100_000

// crowdsecPort is where its local API listens.
const crowdsecPort = 18097

var (
	crowdsecParsers = []string{"parsers/s00-raw/crowdsecurity/syslog-logs.yaml", "parsers/s01-parse/crowdsecurity/nginx-logs.yaml",
		"parsers/s02-enrich/crowdsecurity/dateparse-enrich.yaml", "parsers/s02-enrich/crowdsecurity/http-logs.yaml"}
	crowdsecScenarios = []string{"crowdsecurity/http-crawl-non_statics", "crowdsecurity/http-probing", "crowdsecurity/http-bad-user-agent", "crowdsecurity/http-path-traversal-probing",
		"crowdsecurity/http-sensitive-files", "crowdsecurity/http-sqli-probing", "crowdsecurity/http-xss-probing", "crowdsecurity/http-backdoors-attempts", "ltsich/http-w00tw00t",
		"crowdsecurity/http-generic-bf", "crowdsecurity/http-open-proxy"}
)

func crowdsecHub() string { return os.Getenv("CROWDSEC_ROOT") + "/usr/share/crowdsec/hub" }

// crowdsecData is where the package keeps lists.
func crowdsecData() string { return os.Getenv("CROWDSEC_ROOT") + "/usr/share/crowdsec/data" }

func scenarioFile(name string) string {
	return filepath.Join(crowdsecHub(), "scenarios", name+".yaml")
}

// scenarioFlags are the scenarios as xiezhi takes them.
func scenarioFlags() []string {
	var out []string
	for _, s := range crowdsecScenarios {
		out = append(out, "--rules", scenarioFile(s))
	}
	return out
}

func haveScenarios(string) error {
	for _, s := range crowdsecScenarios {
		if _, err := os.Stat(scenarioFile(s)); err != nil {
			return errors.New("needs the scenarios of Debian's crowdsec")
		}
	}
	return nil
}

// setUpCrowdSec makes a configuration of its own in the scratch folder.
func setUpCrowdSec(dir string) error {
	if err := haveScenarios(dir); err != nil {
		return err
	}
	root, own := os.Getenv("CROWDSEC_ROOT"), filepath.Join(dir, "crowdsec")
	data := filepath.Join(own, "data")
	files := map[string]string{
		root + "/etc/crowdsec/profiles.yaml":   "etc/profiles.yaml",
		root + "/etc/crowdsec/simulation.yaml": "etc/simulation.yaml",
		crowdsecHub() + "/.index.json":         "hub/.index.json",
	}
	for _, p := range crowdsecParsers {
		files[filepath.Join(crowdsecHub(), p)] = filepath.Join("etc/parsers", filepath.Base(filepath.Dir(filepath.Dir(p))), filepath.Base(p))
	}
	for _, s := range crowdsecScenarios {
		files[scenarioFile(s)] = filepath.Join("etc/scenarios", filepath.Base(s)+".yaml")
	}
	for _, from := range []struct{ folder, to string }{{root + "/etc/crowdsec/patterns", "etc/patterns"}, {crowdsecData(), "data"}} {
		list, err := os.ReadDir(from.folder)
		if err != nil {
			return errors.New("needs the patterns and lists of Debian's crowdsec")
		}
		for _, f := range list {
			files[filepath.Join(from.folder, f.Name())] = filepath.Join(from.to, f.Name())
		}
	}
	files[filepath.Join(crowdsecData(), "path_traversal.txt")] = "data/http_path_traversal.txt"
	for _, d := range []string{"etc/postoverflows", "notifications", "plugins"} {
		if err := os.MkdirAll(filepath.Join(own, d), 0o755); err != nil {
			return err
		}
	}
	for from, to := range files {
		if err := copyFile(from, filepath.Join(own, to)); err != nil {
			return err
		}
	}
	config := fmt.Sprintf(`common: {daemonize: false, log_media: stdout, log_level: info, log_dir: %[1]s, working_dir: .}
config_paths: {config_dir: %[1]s/etc, data_dir: %[2]s, simulation_path: %[1]s/etc/simulation.yaml, hub_dir: %[1]s/hub, index_path: %[1]s/hub/.index.json, notification_dir: %[1]s/notifications, plugin_dir: %[1]s/plugins}
crowdsec_service: {parser_routines: 1, buckets_routines: 1, output_routines: 1}
cscli: {output: human}
db_config: {type: sqlite, db_path: %[2]s/crowdsec.db, log_level: error, use_wal: true}
api:
  client: {credentials_path: %[1]s/credentials.yaml}
  server: {enable: true, log_level: error, listen_uri: "127.0.0.1:%[3]d", profiles_path: %[1]s/etc/profiles.yaml}
prometheus: {enabled: false}
`, own, data, crowdsecPort)
	if err := os.WriteFile(filepath.Join(own, "config.yaml"), []byte(config), 0o600); err != nil {
		return err
	}
	// a name and a password of the local API, which no other machine can reach
	out, err := exec.Command("cscli", "-c", filepath.Join(own, "config.yaml"), "machines", "add", "bench", "--password", "bench-of-this-run", "-f", filepath.Join(own, "credentials.yaml")).CombinedOutput()
	if err != nil {
		return fmt.Errorf("cscli: %w: %.200s", err, strings.TrimSpace(string(out)))
	}
	return nil
}

func copyFile(from, to string) error {
	if err := os.MkdirAll(filepath.Dir(to), 0o755); err != nil {
		return err
	}
	b, err := os.ReadFile(from)
	if err != nil {
		return err
	}
	return os.WriteFile(to, b, 0o600)
}

// head writes the first n lines of a file into a folder.
func head(name, folder string, n int) (string, error) {
	in, err := os.Open(name)
	if err != nil {
		return "", err
	}
	defer in.Close()
	to := filepath.Join(folder, "head.log")
	out, err := os.Create(to)
	if err != nil {
		return "", err
	}
	defer out.Close()
	r, w := bufio.NewReaderSize(in, 1<<16), bufio.NewWriter(out)
	for n > 0 {
		part, err := r.ReadSlice('\n')
		if _, e := w.Write(part); e != nil {
			return "", e
		}
		switch {
		case err == nil:
			n--
		case errors.Is(err, io.EOF):
			n = 0
		case !errors.Is(err, bufio.ErrBufferFull):
			return "", err
		}
	}
	return to, w.Flush()
}
