package observe

import "xiezhi/internal/exchange"

// Screen is what rules written for logs look through. Such rules read paths,
// queries and agents as they were sent, which an observation does not hold:
// hence they are evaluated here, and only that one was met is kept.
type Screen interface {
	Eye() Eye // for one observer
}

// Eye evaluates rules on one exchange after the other.
type Eye interface {
	// See appends a hit for each rule that x meets, and counts the rules that
	// could not be evaluated to their end.
	See(x *exchange.Exchange, dst []Hit) (hits []Hit, over int)
}

// MaxHits is how many rules one exchange may meet.
const MaxHits = 64

// Hit says that an exchange meets a rule.
type Hit struct {
	Rule     string // its name, from the rule's file
	Key      uint64 // token of what the rule groups by, without the client's address
	Distinct uint64 // token of what it tells apart
	Marks    uint16 // conditions that the exchange meets beside
	Cancel   bool   // it ends what the rule has counted
}

// see lets the rules look at the exchange, on its first observation.
func (o *Observer) see() {
	if o.eye == nil || o.o.Part != 0 {
		return
	}
	var over int
	if o.met, over = o.eye.See(o.x, o.met[:0]); over > 0 {
		o.over(over)
	}
	for i := range o.met {
		o.out.met.add(o.met[i])
	}
	clear(o.met)
}

// observeAside looks at what is no exchange: a request that no server could
// read, or a message about one. Only rules see it, and it is an observation
// only if one of them is met.
func (o *Observer) observeAside(x *exchange.Exchange, out *Batch) {
	if o.eye == nil {
		return
	}
	o.begin(x, out)
	o.o.Aside = x.Aside
	o.o.Status = uint16(min(max(x.Status, 0), 999))
	o.see()
	if o.out.met.len() == 0 {
		o.abandon()
		return
	}
	o.take()
}
