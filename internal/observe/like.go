package observe

// Likes: most observations of a log differ from an earlier one of the block in
// what was asked, by whom and when, and in nothing else. Such an observation
// names the earlier one, so what they share is neither written nor read again.
//
// An observation is lean when its lists are empty but for segments and
// parameters. The first lean one of its kind is remembered, at most maxLikes
// in a block; later ones are written in full.

// What stands in front of an observation.
const (
	likeNone  = 0 // common part and lists follow
	likeNew   = 1 // the common part of a lean one follows; it is remembered
	likeFirst = 2 // as the first that was remembered; 3 the second …
)

const (
	maxLikes  = 128
	likeSlots = 4 * maxLikes
)

// likes remembers the lean observations of a block.
type likes struct {
	list  []Observation
	slots [likeSlots]uint8 // position in list, +1
}

func (l *likes) reset() {
	clear(l.list)
	l.list = l.list[:0]
	l.slots = [likeSlots]uint8{}
}

// like tells how an observation is to be written and whether its lists are
// empty.
func (d *dictionary) like(o *Observation) (kind uint64, lean bool) {
	if !isLean(o) {
		return likeNone, false
	}
	l := &d.likes
	h := o.Agent ^ o.ParamShape<<1 ^ uint64(o.Status)<<17 ^ uint64(len(o.Method))<<33 ^ uint64(len(o.Referer))<<47
	h *= 0x9e3779b97f4a7c15
	for i := h >> 40; ; i++ {
		s := &l.slots[i%likeSlots]
		switch {
		case *s == 0 && len(l.list) == maxLikes:
			return likeNone, false
		case *s == 0:
			l.list = append(l.list, *o)
			p := &l.list[len(l.list)-1]
			p.Segments, p.Params = nil, nil
			*s = uint8(len(l.list))
			return likeNew, true
		case alike(&l.list[*s-1], o):
			return uint64(*s-1) + likeFirst, true
		}
	}
}

// isLean reports whether an observation has no list but segments and parameters.
func isLean(o *Observation) bool {
	return len(o.Forwarded)+len(o.Credentials)+len(o.Accounts)+len(o.Passwords)+len(o.Signatures)+len(o.Leaves)+
		len(o.Exposures)+len(o.Codes)+len(o.Internals)+len(o.Roles)+len(o.Claimed)+len(o.Rights)+len(o.Used)+len(o.Issued)+len(o.Markers)+len(o.Uploads)+len(o.Hits) == 0 && o.Download == File{} && !o.UsedCut && o.Aside == 0
}

// alike reports whether two lean observations have their common part in common.
func alike(a, b *Observation) bool {
	return a.Agent == b.Agent && a.Status == b.Status && a.ParamShape == b.ParamShape && a.Query == b.Query &&
		a.Method == b.Method && a.Referer == b.Referer && a.Host == b.Host && a.Server == b.Server &&
		a.Site == b.Site && a.Sensor == b.Sensor && a.Secure == b.Secure && a.AgentTool == b.AgentTool &&
		a.Proto == b.Proto && a.Caps == b.Caps && a.ReqKind == b.ReqKind && a.ReqBytes == b.ReqBytes &&
		a.AgentFamily == b.AgentFamily && a.HeaderOrder == b.HeaderOrder && a.JA4 == b.JA4 && a.H2 == b.H2 &&
		a.Origin == b.Origin && a.RespKind == b.RespKind && a.Code == b.Code && a.CodeField == b.CodeField &&
		a.CodeSays == b.CodeSays && a.Message == b.Message && a.MessageHash == b.MessageHash &&
		a.MessageSays == b.MessageSays && a.Schema == b.Schema && a.Verdict == b.Verdict && a.Records == b.Records &&
		a.ServerBanner == b.ServerBanner && a.Location == b.Location && a.CORS == b.CORS && a.Limits == b.Limits && a.Operation == b.Operation &&
		a.Protocol == b.Protocol && a.Root == b.Root && a.Stream == b.Stream && a.Overflow == b.Overflow
}
