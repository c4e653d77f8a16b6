package score

import (
	"bufio"
	"encoding/json"
	"fmt"
	"io"

	"xiezhi/lab/truth"
)

// MaxLabels bounds the exchanges that a score holds.
const MaxLabels = 8_000_000

// Labels are the labels of attacked exchanges. Honest ones are not held.
type Labels struct {
	attacked map[string]truth.Label
	order    []string
	neutral  map[string]bool // by an attacker, and no attack: signing in, say
}

// Hit is one attribution.
type Hit struct {
	ID     string `json:"id"`
	Attack string `json:"attack"`
	Kind   string `json:"kind"`
}

// Attributed are the exchanges that a report attributes.
type Attributed struct{ hits map[string][]Hit }

// ReadLabels reads labels.jsonl, decompressed.
func ReadLabels(r io.Reader) (*Labels, error) {
	l := &Labels{attacked: map[string]truth.Label{}, neutral: map[string]bool{}}
	err := lines(r, func(b []byte) error {
		var x truth.Label
		if err := json.Unmarshal(b, &x); err != nil {
			return err
		}
		switch {
		case x.Attack != "":
			l.attacked[x.ID] = x
			l.order = append(l.order, x.ID)
		case x.Campaign != "":
			l.neutral[x.ID] = true
		}
		if len(l.order) > MaxLabels {
			return fmt.Errorf("more than %d attacked exchanges", MaxLabels)
		}
		return nil
	})
	return l, err
}

// ReadAttributed reads what analyze --attributed wrote.
func ReadAttributed(r io.Reader) (*Attributed, error) {
	a := &Attributed{hits: map[string][]Hit{}}
	err := lines(r, func(b []byte) error {
		var x Hit
		if err := json.Unmarshal(b, &x); err != nil {
			return err
		}
		a.hits[x.ID] = append(a.hits[x.ID], x)
		if len(a.hits) > MaxLabels {
			return fmt.Errorf("more than %d attributed exchanges", MaxLabels)
		}
		return nil
	})
	return a, err
}

func lines(r io.Reader, each func([]byte) error) error {
	s := bufio.NewScanner(r)
	s.Buffer(nil, 1<<20)
	for n := 1; s.Scan(); n++ {
		if len(s.Bytes()) == 0 {
			continue
		}
		if err := each(s.Bytes()); err != nil {
			return fmt.Errorf("line %d: %w", n, err)
		}
	}
	return s.Err()
}
