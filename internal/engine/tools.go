package engine

import (
	"io/fs"

	"xiezhi/internal/catalog"
	"xiezhi/internal/intel"
	"xiezhi/internal/message"
	"xiezhi/internal/observe"
	"xiezhi/internal/observe/form"
	"xiezhi/internal/observe/jwt"
	"xiezhi/internal/observe/password"
	"xiezhi/internal/observe/product"
	"xiezhi/internal/observe/protobuf"
	"xiezhi/internal/observe/signature"
	"xiezhi/internal/redact"
	"xiezhi/internal/report"
	"xiezhi/internal/rule"
	"xiezhi/internal/rule/scenario"
	"xiezhi/rules"
)

// Tools are the decoded rules and the key: the immutable parts that every
// worker, judge and run shares.
type Tools struct {
	Messages *message.Catalog
	files    fs.FS
	rules    *signature.Set
	products *product.Set
	custom   *rule.Set   // what people wrote; nil: nothing
	types    *rule.Types // the same
	redactor *redact.Redactor
	roles    *catalog.Lexicon
	observe  observe.Config
	networks *intel.Map // the map that is part of the program, opened when asked

	scenarios *scenario.Set // rules for logs that people brought along; nil: none
}

// LoadTools decodes the rule data.
func LoadTools(rules fs.FS, key [32]byte) (*Tools, error) {
	t := &Tools{files: rules, redactor: redact.New(key), networks: intel.Default()}
	var err error
	if t.Messages, err = message.Load(rules, "messages"); err != nil {
		return nil, err
	}
	if t.rules, err = signature.LoadBare(rules); err != nil {
		return nil, err
	}
	if t.products, err = product.Load(rules); err != nil {
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
	if c.Factory, err = observe.LoadFactory(rules); err != nil {
		return nil, err
	}
	return t, nil
}

// Describe gives the messages of gRPC and other Protocol Buffers bodies the
// names of these types; nil reads them by field numbers.
func (t *Tools) Describe(s *protobuf.Schema) { t.observe.Protobuf = s }

// report is what a report needs to know beside the findings.
func (t *Tools) report(version string, file *FileConfig, forms *form.Table) report.Config {
	addresses := report.AddressesPlain
	if file.Privacy.Addresses == "token" {
		addresses = report.AddressesToken
	}
	return report.Config{Version: version, Rules: rules.Version, Redactor: t.redactor, Addresses: addresses, Messages: t.Messages,
		Forms: forms, TypeID: t.types.Named, Networks: networksOf(file, t)}
}

func (t *Tools) observer(forms *form.Table) (*observe.Observer, error) {
	c := t.observe
	c.Forms = forms
	return observe.New(c)
}
