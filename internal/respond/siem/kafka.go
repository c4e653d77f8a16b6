package siem

import (
	"context"
	"errors"
	"time"

	"github.com/twmb/franz-go/pkg/kerr"
	"github.com/twmb/franz-go/pkg/kgo"
	"github.com/twmb/franz-go/pkg/sasl/scram"

	"xiezhi/internal/intel/outbound"
	"xiezhi/internal/respond/notify/channel"
	"xiezhi/internal/respond/outbox"
)

// queue hands over to a topic of Kafka; what is of one finding is in one
// partition, in order. The client connects with the first batch.
type queue struct {
	client *kgo.Client
	topic  string
	host   string
}

func newQueue(t *Target, g *outbound.Guard, tools *channel.Tools, password, host string) (*queue, error) {
	options := []kgo.Opt{kgo.ClientID("xiezhi"), kgo.SeedBrokers(t.Brokers...), kgo.DefaultProduceTopic(t.Topic), kgo.RequiredAcks(kgo.AllISRAcks()),
		kgo.ProducerBatchMaxBytes(1 << 20), kgo.Dialer(g.Dial)}
	if t.TLS {
		cfg, err := channel.TLS(tools, "", t.CAFile)
		if err != nil {
			return nil, err
		}
		options = append(options, kgo.Dialer(dialTLS(g.Dial, cfg)))
	}
	if t.User != "" {
		options = append(options, kgo.SASL(scram.Auth{User: t.User, Pass: password}.AsSha512Mechanism()))
	}
	client, err := kgo.NewClient(options...)
	return &queue{client, t.Topic, host}, err
}

func (q *queue) where() string { return q.host }

func (q *queue) send(ctx context.Context, list []line) error {
	var records []*kgo.Record
	for _, l := range list {
		records = append(records, &kgo.Record{Key: []byte(l.UID), Value: []byte(l.Text), Timestamp: time.UnixMilli(l.Unix), Headers: []kgo.RecordHeader{{Key: "id", Value: []byte(l.ID)}}})
	}
	err := q.client.ProduceSync(ctx, records...).FirstErr()
	if err == nil {
		return nil
	}
	if errors.Is(err, kerr.MessageTooLarge) || errors.Is(err, kerr.InvalidRecord) || errors.Is(err, kerr.TopicAuthorizationFailed) || errors.Is(err, outbound.ErrInner) {
		return &outbox.Failure{Why: q.host + ": " + err.Error(), Final: true}
	}
	return channel.Unreached(q.host, err)
}
