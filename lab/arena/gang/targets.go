package gang

import (
	"fmt"
	"math/rand/v2"

	"xiezhi/lab/arena/knob"
	"xiezhi/lab/people"
	"xiezhi/lab/scene"
)

// line of n serials of a block of the size, in the order of the knobs.
func serials(r *rand.Rand, o knob.Order, n, size int) []int {
	out := make([]int, n)
	stride, from := 1, r.IntN(size)
	if o == knob.Strided {
		stride = 2 + r.IntN(9)
	}
	if n*stride > size {
		from = 0
	}
	for i := range out {
		out[i] = (from + i*stride) % size
	}
	if o == knob.Shuffled {
		r.Shuffle(n, func(i, j int) { out[i], out[j] = out[j], out[i] })
	}
	return out
}

// numbers gives n phone numbers in the order of the knobs; the share of the
// hit rate belongs to accounts of the applications.
func (r *raid) numbers(n int, apps ...*scene.App) []string {
	k := r.knobs
	out := make([]string, 0, n)
	exists := func(phone string) {
		if r.rng.Float64() < k.HitRate {
			p := r.person()
			p.Phone = phone
			for _, a := range apps {
				a.Enrol(p, a.Chosen(p))
			}
		}
	}
	switch k.Order {
	case knob.Bought:
		for range n {
			if r.rng.Float64() < k.HitRate {
				out = append(out, draw(r.rng, draw(r.rng, apps).Accounts()).Person.Phone)
			} else {
				out = append(out, people.Stranger(r.rng))
			}
		}
	case knob.Random:
		wild := r.rng.IntN(2) == 0 // does not know which segments there are
		for range n {
			phone := people.Stranger(r.rng)
			if wild {
				phone = fmt.Sprintf("1%d%09d", 3+r.rng.IntN(7), r.rng.IntN(1_000_000_000))
			}
			exists(phone)
			out = append(out, phone)
		}
	default:
		head := people.Stranger(r.rng)[:7]
		for _, s := range serials(r.rng, k.Order, n, 10_000) {
			phone := fmt.Sprintf("%s%04d", head, s)
			exists(phone)
			out = append(out, phone)
		}
	}
	return out
}

// ids gives n residents' numbers likewise.
func (r *raid) ids(n int, app *scene.App) []string {
	k := r.knobs
	out := make([]string, 0, n)
	exists := func(id string) {
		if r.rng.Float64() < k.HitRate {
			p := r.person()
			p.ID = id
			app.Enrol(p, app.Chosen(p))
		}
	}
	switch k.Order {
	case knob.Bought:
		for range n {
			if r.rng.Float64() < k.HitRate {
				out = append(out, draw(r.rng, app.Accounts()).Person.ID)
			} else {
				out = append(out, people.AnyID(r.rng))
			}
		}
	case knob.Random:
		for range n {
			id := people.AnyID(r.rng)
			exists(id)
			out = append(out, id)
		}
	default:
		head, _ := people.Head(r.rng)
		for i, s := range serials(r.rng, k.Order, n, max(1000, n*4)) {
			if s%1000 == 999 && i%3 == 0 {
				head, _ = people.Head(r.rng)
			}
			id := people.WithCheck(fmt.Sprintf("%s%03d", head, s%1000))
			exists(id)
			out = append(out, id)
		}
	}
	return out
}

// orderIDs gives n numbers of other people's orders.
func (r *raid) orderIDs(n int, app *scene.App) []string {
	k := r.knobs
	out := make([]string, 0, n)
	first := app.LastOrder() - int64(len(app.Accounts())*4)
	span := int(app.LastOrder() - first)
	switch k.Order {
	case knob.Bought:
		for range n {
			acc := draw(r.rng, app.Accounts())
			out = append(out, fmt.Sprint(draw(r.rng, acc.Orders)))
		}
	case knob.Random:
		for range n {
			id := first + int64(r.rng.IntN(span))
			if r.rng.Float64() > k.HitRate {
				id = first - int64(r.rng.IntN(1_000_000))
			}
			out = append(out, fmt.Sprint(id))
		}
	default:
		for _, s := range serials(r.rng, k.Order, n, max(span, n)) {
			out = append(out, fmt.Sprint(first+int64(s)))
		}
	}
	return out
}

// itemIDs gives n numbers of objects.
func (r *raid) itemIDs(n int, app *scene.App) []string {
	out := make([]string, 0, n)
	from, to := app.Stock[0].ID, app.Stock[len(app.Stock)-1].ID
	switch r.knobs.Order {
	case knob.Bought, knob.Shuffled:
		for len(out) < n {
			for _, i := range r.rng.Perm(len(app.Stock)) {
				out = append(out, fmt.Sprint(app.Stock[i].ID))
			}
		}
	case knob.Random:
		for range n {
			out = append(out, fmt.Sprint(from+r.rng.Int64N(to-from+1)))
		}
	default:
		for _, s := range serials(r.rng, r.knobs.Order, n, int(to-from+1)) {
			out = append(out, fmt.Sprint(from+int64(s)))
		}
	}
	return out[:n]
}

// userIDs gives n numbers of members.
func (r *raid) userIDs(n int, app *scene.App) []string {
	accs := app.Accounts()
	out := make([]string, 0, n)
	from, to := accs[0].UID, accs[len(accs)-1].UID
	switch r.knobs.Order {
	case knob.Bought:
		for range n {
			out = append(out, fmt.Sprint(draw(r.rng, accs).UID))
		}
	case knob.Random:
		for range n {
			out = append(out, fmt.Sprint(from+r.rng.Int64N(to-from+1)))
		}
	default:
		for _, s := range serials(r.rng, r.knobs.Order, n, int(to-from+1)) {
			out = append(out, fmt.Sprint(from+int64(s)))
		}
	}
	return out
}
