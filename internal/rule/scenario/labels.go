package scenario

import (
	"strconv"
	"strings"

	"go.yaml.in/yaml/v3"

	"xiezhi/internal/taxonomy"
)

// labels reads what a scenario says about itself, and what attack it is about.
func (l *loader) labels(r *Rule, n *yaml.Node) {
	r.Labels.Confidence = -1
	for i := 0; n != nil && n.Kind == yaml.MappingNode && i+1 < len(n.Content); i += 2 {
		v := n.Content[i+1]
		text := clip(v.Value)
		switch n.Content[i].Value {
		case "behavior":
			r.Labels.Behavior = text
		case "type":
			r.Labels.Type = text
		case "label":
			r.Labels.Label = text
		case "service":
			r.Labels.Service = text
		case "confidence":
			r.Labels.Confidence = l.grade(v, "confidence")
		case "spoofable":
			r.Labels.Spoofable = l.grade(v, "spoofable")
		case "classification":
			for _, c := range v.Content[:min(len(v.Content), 32)] {
				r.Labels.Classification = append(r.Labels.Classification, clip(c.Value))
			}
		}
	}
	r.Attack = attackKind(&r.Labels, r.Name)
}

// clip keeps a label printable and short.
func clip(s string) string {
	s = short(s)
	var b strings.Builder
	for _, c := range s {
		if c >= 0x20 && c != 0x7f {
			b.WriteRune(c)
		}
	}
	return b.String()
}

func (l *loader) grade(n *yaml.Node, key string) int {
	v, err := strconv.Atoi(n.Value)
	if err != nil || v < 0 || v > 3 {
		l.note(n.Line, key, "is a number from 0 to 3; taken as 0")
		return 0
	}
	return v
}

// attackKind gives the kind of the taxonomy that a scenario is about: by its
// MITRE technique where that is precise, then by its behaviour, then by the
// type that older scenarios give.
func attackKind(b *Labels, name string) taxonomy.AttackKind {
	for _, c := range b.Classification {
		switch strings.ToUpper(c) {
		case "ATTACK.T1110.003":
			return taxonomy.AttackPasswordSpraying
		case "ATTACK.T1110.004":
			if strings.HasSuffix(b.Behavior, ":fraud") {
				return taxonomy.AttackCarding
			}
			return taxonomy.AttackCredentialStuffing
		case "ATTACK.T1589", "ATTACK.T1589.001", "ATTACK.T1589.002", "ATTACK.T1087":
			return taxonomy.AttackAccountScanning
		}
	}
	words := strings.ToLower(b.Behavior[strings.LastIndexByte(b.Behavior, ':')+1:] + " " + b.Type)
	for _, w := range strings.Fields(words) {
		switch w {
		case "bruteforce", "brute-force", "bf":
			if strings.Contains(strings.ToLower(name), "enum") {
				return taxonomy.AttackAccountScanning
			}
			return taxonomy.AttackBruteForce
		case "crawl", "scraping":
			return taxonomy.AttackScraping
		case "dos", "ddos":
			return taxonomy.AttackFlood
		case "fraud":
			return taxonomy.AttackCarding
		case "spam", "impersonation":
			return taxonomy.AttackBot
		case "scan", "exploit", "fingerprint", "web_attack":
			return taxonomy.AttackVulnerabilityScan
		}
	}
	for _, c := range b.Classification {
		switch c = strings.ToUpper(c); {
		case strings.HasPrefix(c, "ATTACK.T1110"):
			return taxonomy.AttackBruteForce
		case strings.HasPrefix(c, "ATTACK.T1498"), strings.HasPrefix(c, "ATTACK.T1499"):
			return taxonomy.AttackFlood
		}
	}
	return taxonomy.AttackVulnerabilityScan
}
