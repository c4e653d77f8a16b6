package engine

import (
	"bytes"
	"errors"
	"fmt"
	"io/fs"
	"net/netip"
	"os"

	"xiezhi/internal/report"
	"xiezhi/internal/source"
	"xiezhi/internal/source/accesslog"
	"xiezhi/internal/source/burp"
	"xiezhi/internal/source/goreplay"
	"xiezhi/internal/source/har"
	"xiezhi/internal/source/keylog"
	"xiezhi/internal/source/pcap"
	"xiezhi/internal/wire"
)

// Format names a kind of input file.
type Format string

const (
	Auto      Format = "auto"
	HAR       Format = "har"
	HARL      Format = "harl"
	PCAP      Format = "pcap" // classic pcap and pcapng
	Burp      Format = "burp"
	GoReplay  Format = "gor"
	AccessLog Format = "accesslog"
)

// Formats lists what --format takes.
var Formats = []Format{Auto, HAR, HARL, PCAP, Burp, GoReplay, AccessLog}

// LogConfig is how access logs are read.
type LogConfig = accesslog.Config

// plan is what will be read, in order: packets first, as one stream, then HAR,
// Burp's and GoReplay's files, then logs.
type plan struct {
	sources []source.Source
	refused []Refusal
}

// blindOf gives what a source saw but could not look into.
func blindOf(s source.Source) []report.Blind {
	seer, ok := s.(interface{ Blind() []wire.BlindServer })
	if !ok {
		return nil
	}
	var out []report.Blind
	for _, b := range seer.Blind() {
		out = append(out, report.Blind{Server: serverName(b.Server), Name: b.SNI, Protocol: b.Protocol, Connections: b.Connections, Bytes: uint64(max(b.Bytes, 0)), Reason: b.Reason})
		r := &out[len(out)-1]
		for _, c := range b.Clients {
			r.Clients = append(r.Clients, report.BlindClient{JA4: c.JA4.String(), Connections: c.Connections})
		}
	}
	return out
}

// serverName names a server; the zero address stands for all beyond the bound.
func serverName(a netip.AddrPort) string {
	if !a.IsValid() {
		return "…"
	}
	return a.String()
}

// recognise sorts the inputs by what they are. What cannot be opened or
// recognised is refused with a reason; the rest goes on.
func recognise(inputs []source.Input, format Format, log LogConfig, keys *keylog.Log) (plan, error) {
	var p plan
	var packets, hars, burps, gors, logs []source.Input
	for _, in := range inputs {
		f := format
		if f == Auto || f == "" {
			head, err := source.Sniff(in)
			if err != nil {
				p.refused = append(p.refused, Refusal{in.Name, OpenError(err)})
				continue
			}
			if f, err = detect(head, log); err != nil {
				p.refused = append(p.refused, Refusal{in.Name, err})
				continue
			}
		}
		switch f {
		case PCAP:
			packets = append(packets, in)
		case HAR, HARL:
			hars = append(hars, in)
		case Burp:
			burps = append(burps, in)
		case GoReplay:
			gors = append(gors, in)
		case AccessLog:
			logs = append(logs, in)
		}
	}
	if len(packets) > 0 {
		ins := make([]pcap.Input, len(packets))
		for i, in := range packets {
			ins[i] = pcap.Input{Name: in.Name, Open: in.Open, Stream: in.Once || in.Name == "-"}
		}
		var cfg pcap.Config
		if keys != nil {
			cfg.Wire.Keys = keys.Keys()
		}
		p.sources = append(p.sources, pcap.New(ins, cfg))
	}
	if len(hars) > 0 {
		p.sources = append(p.sources, har.New(hars, har.Config{}))
	}
	if len(burps) > 0 {
		p.sources = append(p.sources, burp.New(burps, burp.Config{Location: log.Location}))
	}
	if len(gors) > 0 {
		p.sources = append(p.sources, goreplay.New(gors, goreplay.Config{}))
	}
	if len(logs) > 0 {
		s, err := accesslog.New(logs, log)
		if err != nil {
			return p, err
		}
		p.sources = append(p.sources, s)
	}
	return p, nil
}

// CheckLog reports what is wrong with a log format.
func CheckLog(c LogConfig) error {
	_, err := accesslog.New(nil, c)
	return err
}

// detect tells what a file is from its first bytes, never from its name.
func detect(head []byte, log LogConfig) (Format, error) {
	switch {
	case len(bytes.TrimSpace(head)) == 0:
		return "", errors.New("the file is empty")
	case pcap.Detect(head):
		return PCAP, nil
	case har.Detect(head) != har.None:
		return HAR, nil
	case burp.Detect(head):
		return Burp, nil
	case goreplay.Detect(head):
		return GoReplay, nil
	case keylog.Detect(head):
		return "", errors.New("a TLS key log; name it with --keylog, beside the capture it belongs to")
	}
	ok, why := accesslog.Detect(head, log.Format)
	if !ok {
		if w := har.Why(head); w != "" {
			why = w
		}
	}
	switch {
	case ok:
		return AccessLog, nil
	case why != "":
		return "", errors.New(why)
	}
	return "", errors.New("not recognised as packet capture, HAR, Burp or GoReplay file, or access log; if it is one, name it with --format (for logs also --log-format)")
}

// OpenError words the usual reasons for a file that cannot be read.
func OpenError(err error) error {
	switch {
	case errors.Is(err, fs.ErrPermission):
		return errors.New("not permitted to read; check the file's owner and mode")
	case errors.Is(err, fs.ErrNotExist):
		return errors.New("no such file")
	case errors.Is(err, source.ErrNoFiles):
		return errors.New("no files to read there")
	}
	var pe *os.PathError
	if errors.As(err, &pe) {
		return fmt.Errorf("cannot be read: %w", pe.Err)
	}
	return fmt.Errorf("cannot be read: %w", err)
}
