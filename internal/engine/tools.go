package engine

import (
	"io/fs"

	"xiezhi/internal/catalog"
	"xiezhi/internal/message"
	"xiezhi/internal/observe"
	"xiezhi/internal/observe/jwt"
	"xiezhi/internal/observe/password"
	"xiezhi/internal/observe/signature"
	"xiezhi/internal/redact"
)

// tools are the immutable parts that every worker and judge shares.
type tools struct {
	messages *message.Catalog
	rules    *signature.Set
	redactor *redact.Redactor
	roles    *catalog.Lexicon
	observe  observe.Config
}

// loadTools decodes the rule data once.
func loadTools(rules fs.FS, key [32]byte) (*tools, error) {
	t := &tools{redactor: redact.New(key)}
	var err error
	if t.messages, err = message.Load(rules, "messages"); err != nil {
		return nil, err
	}
	if t.rules, err = signature.Load(rules); err != nil {
		return nil, err
	}
	if t.roles, err = catalog.Load(rules); err != nil {
		return nil, err
	}
	c := &t.observe
	c.Redactor, c.Signatures = t.redactor, t.rules
	if c.Names, err = observe.LoadNames(rules); err != nil {
		return nil, err
	}
	if c.Phrases, err = observe.LoadPhrases(rules); err != nil {
		return nil, err
	}
	if c.Agents, err = observe.LoadAgents(rules); err != nil {
		return nil, err
	}
	if c.Passwords, err = password.New(rules); err != nil {
		return nil, err
	}
	if c.Guesser, err = jwt.NewGuesser(rules); err != nil {
		return nil, err
	}
	return t, nil
}

func (t *tools) observer() (*observe.Observer, error) { return observe.New(t.observe) }
