package api

import (
	"net/http"
	"strings"

	v1 "xiezhi/internal/api/v1"
	"xiezhi/internal/intel/library"
	"xiezhi/internal/intel/taxii"
)

// scopes of tokens, by the collection that they are for.
var collectionScopes = map[string]string{library.OwnerCollection: string(v1.TokenScopeIntelligenceOwner), library.OthersCollection: string(v1.TokenScopeIntelligenceOthers)}

// TAXII serves what is passed on, nil where nothing is.
func (a *API) TAXII() http.Handler {
	l := a.cfg.Library
	if l == nil || len(l.Collections()) == 0 {
		return nil
	}
	return taxii.NewServer(taxii.Config{Who: l.Who(), Collections: l.Collections(), Admit: a.reader})
}

// reader says who asks: by a token as a bearer, or as the password of Basic,
// which is what TAXII's clients have. A token with a scope reads the collection
// of that scope; any other, what its owner may see on this service anyway.
func (a *API) reader(r *http.Request) *taxii.Reader {
	token, ok := strings.CutPrefix(r.Header.Get("Authorization"), "Bearer ")
	if !ok {
		if _, token, ok = r.BasicAuth(); !ok {
			return nil
		}
	}
	if len(token) > 256 || !strings.HasPrefix(token, tokenPrefix) {
		return nil
	}
	var x asked
	if err := a.byToken(r.Context(), token, &x); err != nil {
		return nil
	}
	return &taxii.Reader{May: func(collection string) bool {
		if x.who.scope != "" {
			return collectionScopes[collection] == x.who.scope
		}
		return ranks[x.who.role] > 0
	}}
}
