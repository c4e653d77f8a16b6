package form

// Offer is what a table was offered, for another table that is to hold the
// same: that of whoever judges what was observed elsewhere.
type Offer struct {
	Key    uint64
	Form   *Form   `json:",omitempty"` // nil: the key is known
	Sample *Sample `json:",omitempty"`
}

// Relay makes the table keep what it is offered until Fresh is called.
func (t *Table) Relay() *Table {
	t.relayed = true
	return t
}

func (t *Table) relay(o Offer) {
	if t.relayed {
		t.fresh = append(t.fresh, o)
	}
}

// Fresh gives what was offered since it was called last. What an observation
// speaks of was offered before the observation was made.
func (t *Table) Fresh() []Offer {
	t.mu.Lock()
	defer t.mu.Unlock()
	out := t.fresh
	t.fresh = nil
	return out
}

// Take offers what another table was offered. A sample whose form never came is
// left out.
func (t *Table) Take(list []Offer) {
	for i := range list {
		o := &list[i]
		f := o.Form
		if f == nil {
			if t.Has(o.Key) {
				t.Offer(o.Key, nil, o.Sample)
			}
			continue
		}
		f.Sort() // as it was made, whoever sent it
		t.Offer(o.Key, func() *Form { return f }, o.Sample)
	}
}

// Has reports whether the table holds a form of this key.
func (t *Table) Has(key uint64) bool {
	t.mu.Lock()
	defer t.mu.Unlock()
	return t.forms[key] != nil
}
