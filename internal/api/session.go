package api

import (
	"crypto/sha256"
	"slices"
	"sync"
	"time"
)

// Caps of sessions. The oldest goes when there is no room.
const (
	maxSessions     = 10_000
	maxUserSessions = 20
	rotateAfter     = 15 * time.Minute // a session gets another id
	rotateGrace     = time.Minute      // requests under way still have the one before
)

type key [sha256.Size]byte

// session is one sign-in. Its fields are guarded by sessions.mu but for user,
// csrf and made, which stay.
type session struct {
	user string
	csrf string
	made time.Time

	seen, issued time.Time
	now, before  key // hashes of the cookie's value
	beforeUntil  time.Time
	ended        bool
	onEnd        chan struct{} // closed when it ends
}

// ends says when a session is over if nobody uses it.
func (s *session) ends(idle, most time.Duration) time.Time {
	end := s.made.Add(most)
	if i := s.seen.Add(idle); i.Before(end) {
		return i
	}
	return end
}

// sessions keeps the hashes of cookies only: what is in memory signs nobody in.
type sessions struct {
	random func(int) (string, error)

	mu     sync.Mutex
	byKey  map[key]*session
	byUser map[string][]*session // oldest first
	count  int
}

func newSessions(random func(int) (string, error)) *sessions {
	return &sessions{random: random, byKey: map[key]*session{}, byUser: map[string][]*session{}}
}

// start makes a session and gives the cookie's value.
func (s *sessions) start(user string, now time.Time) (*session, string, error) {
	value, err := s.random(32)
	if err != nil {
		return nil, "", err
	}
	csrf, err := s.random(32)
	if err != nil {
		return nil, "", err
	}
	x := &session{user: user, csrf: csrf, made: now, seen: now, issued: now, now: sha256.Sum256([]byte(value)), onEnd: make(chan struct{})}
	s.mu.Lock()
	defer s.mu.Unlock()
	if mine := s.byUser[user]; len(mine) >= maxUserSessions {
		s.end(mine[0])
	}
	if s.count >= maxSessions {
		s.end(s.oldest())
	}
	s.byKey[x.now] = x
	s.byUser[user] = append(s.byUser[user], x)
	s.count++
	return x, value, nil
}

// oldest is the session that was not used for the longest time.
func (s *sessions) oldest() (old *session) {
	for _, x := range s.byKey {
		if old == nil || x.seen.Before(old.seen) {
			old = x
		}
	}
	return old
}

// use finds the session of a cookie and says when it is over. fresh is another
// value that takes the cookie's place, or empty.
func (s *sessions) use(value string, now time.Time, idle, most time.Duration) (x *session, end time.Time, fresh string, err error) {
	k := key(sha256.Sum256([]byte(value)))
	s.mu.Lock()
	defer s.mu.Unlock()
	x = s.byKey[k]
	if x == nil {
		return nil, time.Time{}, "", nil
	}
	if !now.Before(x.ends(idle, most)) {
		s.end(x)
		return nil, time.Time{}, "", nil
	}
	if k == x.before {
		if !now.Before(x.beforeUntil) {
			// Somebody still has an id that was replaced: it may be stolen.
			s.end(x)
			return nil, time.Time{}, "", nil
		}
		x.seen = now
		return x, x.ends(idle, most), "", nil
	}
	x.seen = now
	if now.Sub(x.issued) < rotateAfter {
		return x, x.ends(idle, most), "", nil
	}
	if fresh, err = s.random(32); err != nil {
		return nil, time.Time{}, "", err
	}
	delete(s.byKey, x.before)
	x.before, x.beforeUntil = x.now, now.Add(rotateGrace)
	x.now, x.issued = sha256.Sum256([]byte(fresh)), now
	s.byKey[x.now] = x
	return x, x.ends(idle, most), fresh, nil
}

// live reports whether a session still holds, without using it.
func (s *sessions) live(x *session, now time.Time, idle, most time.Duration) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	if !x.ended && !now.Before(x.ends(idle, most)) {
		s.end(x)
	}
	return !x.ended
}

// endOne ends a session.
func (s *sessions) endOne(x *session) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.end(x)
}

// endUser ends the sessions of a user but one.
func (s *sessions) endUser(user string, but *session) {
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, x := range slices.Clone(s.byUser[user]) {
		if x != but {
			s.end(x)
		}
	}
}

// sweep ends what is over.
func (s *sessions) sweep(now time.Time, idle, most time.Duration) {
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, list := range s.byUser {
		for _, x := range slices.Clone(list) {
			if !now.Before(x.ends(idle, most)) {
				s.end(x)
			}
		}
	}
}

// end needs the lock.
func (s *sessions) end(x *session) {
	if x == nil || x.ended {
		return
	}
	x.ended = true
	close(x.onEnd)
	delete(s.byKey, x.now)
	delete(s.byKey, x.before)
	s.byUser[x.user] = slices.DeleteFunc(s.byUser[x.user], func(y *session) bool { return y == x })
	if len(s.byUser[x.user]) == 0 {
		delete(s.byUser, x.user)
	}
	s.count--
}
