package audit_test

import (
	"fmt"
	"testing"

	"xiezhi/internal/catalog"
	"xiezhi/internal/observe"
	"xiezhi/internal/taxonomy"
)

func TestUnauthenticatedFile(t *testing.T) {
	run := func(n, files int, k observe.FileKind, more ...option) func(*site) {
		return func(s *site) {
			s.api("GET /export/members", taxonomy.RoleDownload)
			times(n, func(i int) {
				download := func(ev *catalog.Event) {
					ev.RespKind, ev.Download = observe.BodyFile, observe.File{Kind: k, Name: "members{}.csv"}
					ev.Object = uint64(1000 + i%files)
				}
				s.do("GET /export/members", append([]option{source(i), gives("phone", taxonomy.SensCNMobile, fmt.Sprint("p", i), fmt.Sprint("q", i)), download}, more...)...)
			})
		}
	}
	check(t, []scenario{
		{"two files", run(4, 2, observe.FileTable), "unauthenticated_file:confirmed", []string{"2 个文件", "手机号"}},
		{"a spreadsheet", run(4, 2, observe.FileSheet), "unauthenticated_file:confirmed", nil},
		{"one file with few people in it", run(4, 1, observe.FileTable), "", nil},
		{"by signed links", run(9, 3, observe.FileTable, func(ev *catalog.Event) {
			ev.Credentials = []observe.Credential{{Kind: observe.CredSigned, In: observe.InQuery, Name: "sign", Token: 9}}
			ev.Who.Credential = 9
		}), "", nil},
		{"to those who sign in", run(9, 3, observe.FileTable, as("alice")), "", nil},
		{"nobody's data", run(9, 3, observe.FilePDF, func(ev *catalog.Event) { ev.Exposures = nil }), "", nil},
		{"refused", run(9, 3, observe.FileTable, answer(401, catalog.OutcomeDenied)), "", nil},
	})
}
