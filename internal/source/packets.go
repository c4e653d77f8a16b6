package source

import (
	"xiezhi/internal/taxonomy"
	"xiezhi/internal/wire"
)

// ReportPackets writes what a packet decoder lost and noticed into a ledger.
func ReportPackets(l *Ledger, t *wire.Stats) {
	t.EachDrop(l.Drop)
	l.Quality(taxonomy.QualityDecrypted, "", t.Decrypted)
	l.Quality(taxonomy.QualityTruncated, "", t.Snapped)
	l.Quality(taxonomy.QualityHeadsCut, "", t.HeadsCut)
	l.Quality(taxonomy.QualityDuplicates, "", t.Duplicates)
	l.Quality(taxonomy.QualityOutOfOrder, "", t.OutOfOrder)
	l.Quality(taxonomy.QualityClockJump, "", t.ClockJumps)
	l.Quality(taxonomy.QualityHeadersUnknown, "", t.H2Unknown)
	l.Quality(taxonomy.QualityMessagesLost, "", t.WSLost)
	l.Quality(taxonomy.QualityStateEvicted, "", t.Evicted)
	l.Quality(taxonomy.QualityOneSided, "requests", t.OneSided)
	l.Quality(taxonomy.QualityOneSided, "responses", t.Orphans)
}

// ReportBlind writes the servers that could not be read.
func ReportBlind(l *Ledger, list []wire.BlindServer) {
	for _, b := range list {
		l.Quality(taxonomy.QualityEncrypted, describe(b), b.Connections)
	}
}

// describe names a server that could not be read.
func describe(b wire.BlindServer) string {
	if !b.Server.IsValid() {
		return "other"
	}
	text := b.Server.String()
	if b.SNI != "" {
		text += " sni=" + b.SNI
	}
	if b.Protocol != "tls" {
		text += " protocol=" + b.Protocol
	}
	if b.Reason != "" {
		text += " reason=" + b.Reason
	}
	return text
}
