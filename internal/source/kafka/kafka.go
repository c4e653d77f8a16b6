// Package kafka reads exchanges from topics of a Kafka cluster, as shippers and
// gateways put them there: each record holds one HAR entry, or several, one a
// line.
//
// It takes brokers, topics and a group, and gives exchanges in the order of
// each partition. Offsets are committed only after the sink acknowledged what
// stood before them, so that a process that is killed reads the rest again: an
// entry without _id gets one of its place in the topic, the same each time it is
// read. Invariants: one goroutine, Run's, calls the sink; every line is accepted
// or counted as dropped; records that the cluster no longer had when they were
// to be read are counted as a gap. Limits: see Config; a record that is no
// exchange does not stop the topic.
package kafka

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/twmb/franz-go/pkg/kerr"
	"github.com/twmb/franz-go/pkg/kgo"
	"github.com/twmb/franz-go/pkg/kmsg"
	"github.com/twmb/franz-go/pkg/sasl/plain"
	"github.com/twmb/franz-go/pkg/sasl/scram"

	"xiezhi/internal/source"
	"xiezhi/internal/taxonomy"
)

// DefaultEntryLimit is how many bytes an entry has at most.
const DefaultEntryLimit = 8 << 20

const (
	fetchBytes     = 16 << 20 // of one answer of a broker
	partitionBytes = 4 << 20  // of it, of one partition; a larger record comes alone
	readBytes      = 64 << 20 // what a broker may send at most
	fetches        = 2        // at the same time
	batchBytes     = 64 << 20 // of a batch of records after decompression; a larger one is left out
	pollRecords    = 500      // between two commits
	greeting       = 10 * time.Second
	goodbye        = 5 * time.Second // for the last commit
)

// Mechanisms of SASL.
const (
	Plain       = "plain"
	ScramSHA256 = "scram-sha-256"
	ScramSHA512 = "scram-sha-512"
)

// Config of the source.
type Config struct {
	Brokers []string // host:port
	Topics  []string
	Group   string // those of one group share the partitions

	TLS       *tls.Config // nil: plain
	Mechanism string      // of SASL; empty: none
	User      string
	Password  string

	Site       string // the exchanges are of this application, whatever they say; empty leaves it to them
	Ordinal    uint32 // of the source within the run
	EntryLimit int    // bytes; 0 means DefaultEntryLimit
}

// Source reads topics.
type Source struct {
	cfg      Config
	options  []kgo.Opt
	greeting time.Duration // within which a broker has to answer first
}

// New gives a source; nothing is connected before Run.
func New(cfg Config) (*Source, error) {
	for _, c := range []struct {
		missing bool
		what    string
	}{{len(cfg.Brokers) == 0, "brokers"}, {len(cfg.Topics) == 0, "topics"}, {cfg.Group == "", "a group"}} {
		if c.missing {
			return nil, fmt.Errorf("read from Kafka: no %s: name %s", strings.TrimPrefix(c.what, "a "), c.what)
		}
	}
	if cfg.EntryLimit <= 0 {
		cfg.EntryLimit = DefaultEntryLimit
	}
	options := []kgo.Opt{
		kgo.ClientID("xiezhi"), kgo.SeedBrokers(cfg.Brokers...), kgo.ConsumeTopics(cfg.Topics...), kgo.ConsumerGroup(cfg.Group),
		kgo.ConsumeResetOffset(kgo.NewOffset().AtStart()), kgo.FetchIsolationLevel(kgo.ReadCommitted()),
		kgo.DisableAutoCommit(), kgo.BlockRebalanceOnPoll(),
		kgo.FetchMaxBytes(fetchBytes), kgo.FetchMaxPartitionBytes(partitionBytes), kgo.MaxConcurrentFetches(fetches), kgo.BrokerMaxReadBytes(readBytes),
		kgo.MaxDecompressBatchBytes(batchBytes),
	}
	if cfg.TLS != nil {
		options = append(options, kgo.DialTLSConfig(cfg.TLS))
	}
	switch cfg.Mechanism {
	case "":
	case Plain:
		options = append(options, kgo.SASL(plain.Auth{User: cfg.User, Pass: cfg.Password}.AsMechanism()))
	case ScramSHA256:
		options = append(options, kgo.SASL(scram.Auth{User: cfg.User, Pass: cfg.Password}.AsSha256Mechanism()))
	case ScramSHA512:
		options = append(options, kgo.SASL(scram.Auth{User: cfg.User, Pass: cfg.Password}.AsSha512Mechanism()))
	default:
		return nil, fmt.Errorf("read from Kafka: mechanism %q is not known: use %s, %s or %s", cfg.Mechanism, Plain, ScramSHA256, ScramSHA512)
	}
	return &Source{cfg: cfg, options: options, greeting: greeting}, nil
}

// Run reads until ctx is done. An error of the sink is final, and what it
// refused is not committed.
func (s *Source) Run(ctx context.Context, sink source.Sink, ledger *source.Ledger) error {
	r := &run{cfg: s.cfg, sink: sink, ledger: ledger, next: map[place]int64{}}
	r.flusher, _ = sink.(source.Flusher)
	client, err := kgo.NewClient(append(s.options, kgo.OnOffsetsFetched(r.committed))...)
	if err != nil {
		return s.fault("connect to", err)
	}
	defer client.CloseAllowingRebalance()
	if err := s.greet(ctx, client); err != nil {
		return err
	}
	for {
		polled := client.PollRecords(ctx, pollRecords)
		if err := s.refused(client, r, polled); err != nil {
			return err
		}
		err := r.take(polled)
		if err == nil && polled.NumRecords() > 0 {
			err = s.commit(ctx, client, polled)
		}
		client.AllowRebalance()
		switch {
		case err != nil:
			return err
		case ctx.Err() != nil:
			return ctx.Err()
		}
	}
}

func (s *Source) greet(ctx context.Context, client *kgo.Client) error {
	within, cancel := context.WithTimeout(ctx, s.greeting)
	defer cancel()
	err := client.Ping(within)
	if ctx.Err() != nil {
		return ctx.Err()
	}
	return s.fault("connect to", err)
}

// refused gives the error that no waiting helps against, and leaves out what
// cannot be read.
func (s *Source) refused(client *kgo.Client, r *run, polled kgo.Fetches) (err error) {
	polled.EachError(func(topic string, partition int32, e error) {
		var bomb *kgo.ErrDecompressTooLarge
		var lost *kgo.ErrDataLoss
		switch at := (place{topic, partition}); {
		case errors.As(e, &bomb):
			r.lose(at, bomb.Offset, bomb.NextOffset-bomb.Offset, taxonomy.DropOversize, "records are larger than the limit after decompression")
			client.SetOffsets(map[string]map[int32]kgo.EpochOffset{topic: {partition: {Epoch: bomb.Epoch, Offset: bomb.NextOffset}}})
		case errors.As(e, &lost):
			r.lose(at, lost.ResetTo, max(lost.ConsumedTo-lost.ResetTo, 0), taxonomy.DropGap, "the cluster lost records that were read already, and others may have their places")
		case errors.Is(e, kerr.TopicAuthorizationFailed), errors.Is(e, kerr.GroupAuthorizationFailed), errors.Is(e, kerr.SaslAuthenticationFailed),
			errors.Is(e, kerr.UnknownTopicOrPartition), errors.Is(e, kerr.InvalidTopicException), errors.Is(e, kgo.ErrClientClosed):
			err = s.fault("read "+topic+" from", e)
		}
	})
	return err
}

// commit tells the cluster what was acknowledged. If it fails the records are
// read again and have the same ids, so that only an answer that will not change
// ends the run.
func (s *Source) commit(ctx context.Context, client *kgo.Client, polled kgo.Fetches) error {
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), goodbye)
	defer cancel()
	err := client.CommitRecords(ctx, polled.Records()...)
	if errors.Is(err, kerr.GroupAuthorizationFailed) || errors.Is(err, kerr.TopicAuthorizationFailed) {
		return s.fault("tell how far it was read to", err)
	}
	return nil
}

func (s *Source) fault(what string, err error) error {
	if err == nil {
		return nil
	}
	do := "see whether the brokers run and can be reached from here"
	switch {
	case errors.Is(err, kerr.TopicAuthorizationFailed), errors.Is(err, kerr.GroupAuthorizationFailed), errors.Is(err, kerr.SaslAuthenticationFailed):
		do = fmt.Sprintf("look at the user's password and rights: it has to read the topics and the group %q", s.cfg.Group)
	case errors.Is(err, kerr.UnknownTopicOrPartition), errors.Is(err, kerr.InvalidTopicException):
		do = "make the topic, or name another"
	}
	return fmt.Errorf("%s Kafka at %s: %w; %s", what, strings.Join(s.cfg.Brokers, ","), err, do)
}

// place is a partition of a topic.
type place struct {
	topic     string
	partition int32
}

// committed learns where the group goes on, to tell what is gone by then.
func (r *run) committed(_ context.Context, _ *kgo.Client, resp *kmsg.OffsetFetchResponse) error {
	r.mu.Lock()
	defer r.mu.Unlock()
	for _, g := range resp.Groups {
		for _, t := range g.Topics {
			for _, p := range t.Partitions {
				if p.Offset >= 0 {
					r.next[place{t.Topic, p.Partition}] = p.Offset
				}
			}
		}
	}
	for _, t := range resp.Topics {
		for _, p := range t.Partitions {
			if p.Offset >= 0 {
				r.next[place{t.Topic, p.Partition}] = p.Offset
			}
		}
	}
	return nil
}

// gone counts records that were dropped by the cluster before they were read.
// Offsets that are missing otherwise are marks of transactions or were
// compacted.
func (r *run) gone(at place, first int64, p *kgo.FetchPartition) {
	r.mu.Lock()
	defer r.mu.Unlock()
	next, known := r.next[at]
	if lost := min(p.LogStartOffset, first) - next; known && lost > 0 {
		r.lose(at, next, lost, taxonomy.DropGap, "records were no longer there")
	}
}

func (r *run) lose(at place, offset, n int64, reason taxonomy.DropReason, text string) {
	r.ledger.Drop(reason, uint64(n))
	r.ledger.Note(source.Problem{File: r.name(at, offset), Offset: -1, Reason: reason, Text: fmt.Sprintf("%d %s", n, text)})
}
