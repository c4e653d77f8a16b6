package observe

import "bytes"

// A signed request: a signature over the request, the key that it was made
// with and the moment, each a header, a parameter or a field. The signature is
// another one every time; whose it is, the key says.

// signed is what a request shows of it so far.
type signed struct {
	value  span // of the signature
	name   string
	in     Location
	head   bool // the signature is a header
	key    span
	keyOf  string
	keyIn  Location
	moment bool // a time or a nonce stands beside it
}

// leastSignature is the length of the shortest signature: 32 bits in hex.
const leastSignature = 8

// signPart notes a part of a signature. The first key named counts.
func (r *requestState) signPart(t traits, in Location, name string, v []byte) {
	s := &r.sign
	switch {
	case t&traitSignature != 0:
		if len(v) >= leastSignature {
			if kept, ok := r.keep(v); ok {
				s.value, s.name, s.in, s.head = kept, name, in, in == InHeader
			}
		}
	case t&traitSignKey != 0:
		if len(v) >= 2 && s.key.to == 0 {
			if kept, ok := r.keep(v); ok {
				s.key, s.keyOf, s.keyIn = kept, name, in
			}
		}
	default:
		s.moment = true
	}
}

// signedRequest adds the credential of a signed request. Its token is that of
// the key; where none is named, that of the place, for the signature itself is
// never seen again. A header that signs without naming a key is a seal that the
// site's own program puts on everything: it says nothing of who asks.
func (o *Observer) signedRequest() {
	r := &o.request
	s := &r.sign
	keyed := s.key.to > s.key.from
	if s.value.to == s.value.from || !keyed && (s.head || !s.moment) {
		return
	}
	c := Credential{Kind: CredSigned, In: s.in, Name: s.name}
	if !keyed {
		c.Token = o.cfg.Redactor.Token(append(append(o.canon[:0], "signed/"...), s.name...))
		o.credential(c, r.get(s.value), &o.out.credentials)
		return
	}
	key := r.get(s.key)
	if i := bytes.IndexByte(key, '/'); i > 0 {
		key = key[:i] // day, region and service of the signature follow
	}
	c.In, c.Name = s.keyIn, s.keyOf
	o.credential(c, key, &o.out.credentials)
}

// signTraits tells what a header's name says about signatures.
func (n *Names) signTraits(lower []byte) traits {
	w := normalName(string(bytes.TrimPrefix(lower, []byte("x-"))))
	switch {
	case n.signature.has(w):
		return traitSignature
	case n.signKey.has(w):
		return traitSignKey
	case n.companion.has(w):
		return traitCompanion
	}
	return 0
}

// keyOfScheme finds the key id in the parameters of an Authorization scheme
// that signs: by name, or before the colon of id:signature.
func keyOfScheme(scheme, rest []byte) []byte {
	for _, name := range [...]string{"credential", "keyid", "oauth_consumer_key", "id", "access_key", "accesskeyid", "access_key_id", "ak", "appid", "app_id", "appkey", "app_key", "client_id", "mchid", "username", "access", "key_id", "q-ak"} {
		if id := parameter(rest, name); len(id) > 0 {
			if i := bytes.IndexByte(id, '/'); i > 0 {
				id = id[:i]
			}
			return id
		}
	}
	i := bytes.IndexByte(rest, ':')
	if i < 4 || len(rest)-i <= leastSignature || bytes.IndexAny(rest[:i], "=, ") >= 0 {
		return nil
	}
	switch string(scheme) {
	case "aws", "oss", "obs", "cos", "acs", "qbox", "qiniu", "upyun", "sharedkey", "sharedkeylite", "goog1", "nos", "ks3", "bce-auth-v1":
		return rest[:i]
	}
	if bytes.Contains(scheme, []byte("hmac")) || bytes.Contains(scheme, []byte("sign")) {
		return rest[:i]
	}
	return nil
}
