package main

import (
	"errors"
	"fmt"
	"os"
	"os/user"
	"path/filepath"
	"strconv"
	"time"

	"github.com/spf13/pflag"

	"xiezhi/internal/source"
	"xiezhi/internal/source/live"
	"xiezhi/internal/wire"
)

// livePackets reads network interfaces.
type livePackets struct {
	keys       *keylogFlags
	interfaces []string
	bpf        string
	user       string
	snap       int
	rings      int
	buffer     int
}

func (*livePackets) flag() string { return "live" }

func (l *livePackets) register(f *pflag.FlagSet) {
	f.StringArrayVar(&l.interfaces, "live", nil, "read packets from network interface `IFACE` (repeatable; Linux; needs CAP_NET_RAW)")
	f.StringVar(&l.bpf, "bpf", "", "with --live: take only packets that this `FILTER` passes, as \"tcp port 80 and net 10.0.0.0/8\"")
	f.StringVar(&l.user, "user", "", "with --live as root: become user `NAME` once the interfaces are open (default: who called sudo)")
	f.IntVar(&l.snap, "snap", 0, "with --live: bytes kept of a packet (default all)")
	f.IntVar(&l.rings, "rings", 1, "with --live: rings and decoders per interface, among which connections are divided")
	f.IntVar(&l.buffer, "live-buffer", 128, "with --live: MiB per interface for packets and exchanges that wait")
}

func (l *livePackets) open(a *app) ([]source.Source, error) {
	if len(l.interfaces) == 0 {
		for name, set := range map[string]bool{"bpf": l.bpf != "", "user": l.user != "", "snap": l.snap != 0} {
			if set {
				return nil, usagef("--%s is for --live; name an interface", name)
			}
		}
		return nil, nil
	}
	if err := live.CheckFilter(l.bpf); err != nil {
		return nil, usagef("--bpf: %w", err)
	}
	switch {
	case l.snap < 0 || l.snap > 1<<18:
		return nil, usagef("--snap %d: between 0 (all) and %d", l.snap, 1<<18)
	case l.rings < 1 || l.rings > 64:
		return nil, usagef("--rings %d: between 1 and 64", l.rings)
	case l.buffer < 8 || l.buffer > 1<<16:
		return nil, usagef("--live-buffer %d: between 8 and %d", l.buffer, 1<<16)
	}
	if _, err := l.account(a); err != nil {
		return nil, err
	}
	var packets wire.Config
	if l.keys.log != nil {
		packets.Keys = l.keys.log.Keys()
	}
	var out []source.Source
	for _, name := range l.interfaces {
		s, err := live.Open(live.Config{Interface: name, Filter: l.bpf, Snap: l.snap, Rings: l.rings, Buffer: int64(l.buffer) << 20, Wire: packets,
			Now: time.Now, Warn: func(text string) { fmt.Fprintln(a.stderr, "warning:", text) }})
		if err != nil {
			for _, s := range out {
				s.(*live.Source).Close()
			}
			if errors.Is(err, live.ErrPrivilege) {
				return nil, fmt.Errorf("--live %s: %w; run as root, or once: sudo setcap cap_net_raw=ep %s", name, err, executable())
			}
			return nil, usagef("--live %s: %w", name, err)
		}
		out = append(out, s)
	}
	return out, nil
}

// account is whom to become: --user, else who called sudo; nil when that
// changes nothing.
func (l *livePackets) account(a *app) (*live.Account, error) {
	if os.Geteuid() != 0 {
		if l.user != "" {
			return nil, usagef("--user needs root; as another user, leave it out")
		}
		return nil, nil
	}
	name := l.user
	if name == "" {
		name = a.getenv("SUDO_USER")
	}
	if name == "" || name == "root" {
		return nil, nil
	}
	u, err := user.Lookup(name)
	if err != nil {
		if l.user == "" {
			return nil, nil //nolint:nilerr // a SUDO_USER that nobody knows changes nothing
		}
		return nil, usagef("--user: %w", err)
	}
	to := &live.Account{}
	if to.UID, err = strconv.Atoi(u.Uid); err != nil {
		return nil, usagef("--user %s has no number", name)
	}
	if to.GID, err = strconv.Atoi(u.Gid); err != nil {
		return nil, usagef("--user %s has no group", name)
	}
	groups, err := u.GroupIds()
	if err != nil {
		groups = []string{u.Gid}
	}
	for _, g := range groups {
		if n, err := strconv.Atoi(g); err == nil {
			to.Groups = append(to.Groups, n)
		}
	}
	return to, nil
}

// seal gives up what opening needed. Files that are written at the end must
// stay within reach.
func (l *livePackets) seal(a *app, outs *outputs) error {
	if len(l.interfaces) == 0 {
		return nil
	}
	to, err := l.account(a)
	if err != nil {
		return err
	}
	if to != nil && outs != nil {
		for _, f := range outs.files {
			if err := f.Chown(to.UID, to.GID); err != nil {
				return fmt.Errorf("hand %s to user %d: %w", f.Name(), to.UID, err)
			}
		}
	}
	if err := live.DropPrivileges(to); err != nil {
		return err
	}
	if outs == nil {
		return nil
	}
	for i, f := range outs.files {
		if outs.targets[i] != "" && !writable(filepath.Dir(f.Name())) {
			return usagef("%s: without privileges this folder could not be written at the end; write to another one, or name its owner with --user", outs.targets[i])
		}
	}
	return nil
}

func executable() string {
	name, err := os.Executable()
	if err != nil {
		return "xiezhi"
	}
	return name
}
