package jetstream

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"slices"
	"strings"
)

// logger passes what a NATS server says on. What it would end the process for,
// and that it cannot write any more, becomes an error of the stream: a stream
// whose disk failed takes nothing until the server is started anew, but whoever
// publishes gets no answer, only the log tells. TestFullDisk fails when these
// words change.
type logger struct {
	log    *slog.Logger
	failed context.CancelCauseFunc
}

var failures = []string{"critical write error", "will be DISABLED", "disabling JetStream"}

func (l *logger) Noticef(format string, v ...any) { l.log.Debug("nats: " + fmt.Sprintf(format, v...)) }
func (l *logger) Debugf(string, ...any)           {}
func (l *logger) Tracef(string, ...any)           {}

func (l *logger) Warnf(format string, v ...any) {
	l.log.Warn("nats: " + l.watch(fmt.Sprintf(format, v...)))
}

func (l *logger) Errorf(format string, v ...any) {
	l.log.Error("nats: " + l.watch(fmt.Sprintf(format, v...)))
}

func (l *logger) Fatalf(format string, v ...any) {
	text := fmt.Sprintf(format, v...)
	l.log.Error("nats: " + text)
	l.failed(errors.New(text))
}

func (l *logger) watch(text string) string {
	if slices.ContainsFunc(failures, func(f string) bool { return strings.Contains(text, f) }) {
		l.failed(errors.New(text))
	}
	return text
}
