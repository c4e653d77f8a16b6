package observe

import (
	"bytes"
	"fmt"
	"io/fs"

	"github.com/goccy/go-yaml"

	"xiezhi/internal/sensitive"
)

// Agents tells families of User-Agent apart, by rules/agents.yaml. It is
// immutable.
type Agents struct {
	families []agentFamily
	robot    [][]byte
}

type agentFamily struct {
	name string
	has  [][]byte
	tool bool
}

type agentsFile struct {
	Version  int `yaml:"version"`
	Families []struct {
		Family string   `yaml:"family"`
		Has    []string `yaml:"has"`
		Tool   bool     `yaml:"tool"`
	} `yaml:"families"`
	RobotWords []string            `yaml:"robot_words"`
	Cases      map[string][]string `yaml:"cases"`
}

// LoadAgents reads agents.yaml.
func LoadAgents(fsys fs.FS) (*Agents, error) {
	a, _, err := loadAgents(fsys)
	return a, err
}

func loadAgents(fsys fs.FS) (*Agents, map[string][]string, error) {
	const file = "agents.yaml"
	b, err := fs.ReadFile(fsys, file)
	if err != nil {
		return nil, nil, err
	}
	var f agentsFile
	if err := yaml.UnmarshalWithOptions(b, &f, yaml.Strict()); err != nil {
		return nil, nil, fmt.Errorf("%s: %w", file, err)
	}
	a := &Agents{}
	for _, x := range f.Families {
		g := agentFamily{name: x.Family, tool: x.Tool}
		for _, h := range x.Has {
			g.has = append(g.has, lower(nil, []byte(h)))
		}
		if g.name == "" || len(g.has) == 0 {
			return nil, nil, fmt.Errorf("%s: a family without name or words", file)
		}
		a.families = append(a.families, g)
	}
	for _, w := range f.RobotWords {
		a.robot = append(a.robot, []byte(w))
	}
	return a, f.Cases, nil
}

// family names the family of a User-Agent in lower case, and whether it is a
// tool or library. scratch-free: the result is a rule's string or a part of ua.
func (a *Agents) family(ua []byte) (name []byte, known string, tool bool) {
	for i := range a.families {
		f := &a.families[i]
		for _, h := range f.has {
			if bytes.Contains(ua, h) {
				return nil, f.name, f.tool || a.robotic(ua)
			}
		}
	}
	// product/version: the first word that is one
	end := 0
	for end < len(ua) && end < 32 {
		k := charKinds[ua[end]]
		if k&(hasDigit|hasLower|hasJoin|hasDot) == 0 {
			break
		}
		end++
	}
	if bytes.HasPrefix(ua, []byte("mozilla/")) {
		return nil, "mozilla", a.robotic(ua)
	}
	if end == 0 {
		return nil, "other", true
	}
	return ua[:end], "", true
}

// robotic reports whether a text that reads as a browser's says that it is
// none.
func (a *Agents) robotic(ua []byte) bool {
	for _, w := range a.robot {
		i := bytes.Index(ua, w)
		if i < 0 {
			continue
		}
		end := i + len(w)
		if !alphanumeric(w[0]) || !alphanumeric(w[len(w)-1]) || end >= len(ua) || ua[end]-'a' > 25 {
			return true
		}
	}
	return false
}

// agentMemo remembers the families of agents seen, by token. It only saves
// work.
type agentMemo map[uint64]agentEntry

type agentEntry struct {
	family string
	tool   bool
}

const (
	maxAgentMemo = 4096
	maxAgent     = 1024
)

// agent reads the User-Agent.
func (o *Observer) agent(v []byte) {
	ob := o.o
	if v = trimSpace(v); len(v) == 0 {
		return
	}
	ob.Agent = o.cfg.Redactor.Token(v)
	e, ok := o.agents[ob.Agent]
	if !ok {
		o.lowered = lower(o.lowered[:0], v[:min(len(v), maxAgent)])
		name, known, tool := o.cfg.Agents.family(o.lowered)
		if known == "" {
			known = "other" // a product named like a person's number is none
			if o.hits = sensitive.Scan(name, o.hits[:0]); len(o.hits) == 0 {
				known = o.word(name)
			}
		}
		e = agentEntry{known, tool}
		if o.agents == nil || len(o.agents) >= maxAgentMemo {
			o.agents = agentMemo{}
		}
		o.agents[ob.Agent] = e
	}
	ob.AgentFamily, ob.AgentTool = e.family, e.tool
}
