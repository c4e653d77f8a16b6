package engine

import "xiezhi/internal/report"

// Input gives what was read and lost as of the last report, nil before there is
// one.
func (s *Service) Input() *report.Input {
	if r := s.Report(); r != nil {
		return &r.Input
	}
	return nil
}
