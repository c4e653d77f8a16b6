package government

import (
	"bytes"
	"encoding/csv"
	"encoding/xml"
	"fmt"
	"net/http"
	"strconv"
	"strings"

	"xiezhi/lab/people"
	"xiezhi/lab/victim"
)

func number(r *http.Request, name string) int {
	n, _ := strconv.Atoi(r.URL.Query().Get(name))
	return n
}

// part gives a page of a list.
func part(r *http.Request, total, size int) (from, to int) {
	from = min(max(number(r, "pageNo")-1, 0)*size, total)
	return from, min(from+size, total)
}

func (s *service) notices(w http.ResponseWriter, r *http.Request) {
	from, to := part(r, notices, 10)
	rows := []obj{}
	for i := from; i < to; i++ {
		rows = append(rows, obj{"noticeId": 2601 + i, "title": noticeTitles[i%len(noticeTitles)], "publishDate": s.env.Now().AddDate(0, 0, -i*3).Format(date), "attachment": attachment(i)})
	}
	good(w, obj{"total": notices, "rows": rows})
}

func attachment(i int) string { return fmt.Sprintf("mingdan-%d.csv", 2601+i) }

func (s *service) onNotice(notice, i int) people.Person {
	return s.env.Town.Person(6400 + notice*listed + i)
}

// persons lists who is paid: the names have to be published, the numbers not.
func (s *service) persons(w http.ResponseWriter, r *http.Request) {
	n := number(r, "noticeId") - 2601
	if n < 0 || n >= notices {
		bad(w, "404", "公示不存在或已过期")
		return
	}
	from, to := part(r, listed, 11)
	rows := []obj{}
	whole := s.env.On(WholeLists)
	for i := from; i < to; i++ {
		p := s.onNotice(n, i)
		row := obj{"personName": p.Name, "idNoMask": people.MaskID(p.ID), "village": villages[i%len(villages)], "amount": 300 + i%9*50}
		if whole {
			row["idNo"], row["phone"], row["bankCard"] = p.ID, p.Phone, p.Card
		}
		rows = append(rows, row)
	}
	good(w, obj{"total": listed, "rows": rows})
}

// attachment is the same list as a table.
func (s *service) attachment(w http.ResponseWriter, r *http.Request) {
	n, err := strconv.Atoi(strings.TrimSuffix(strings.TrimPrefix(r.PathValue("file"), "mingdan-"), ".csv"))
	if n -= 2601; err != nil || n < 0 || n >= notices {
		missing(w, r)
		return
	}
	var b bytes.Buffer
	b.WriteString("\xef\xbb\xbf")
	c := csv.NewWriter(&b)
	_ = c.Write([]string{"序号", "姓名", "身份证号", "村（社区）", "补贴金额"})
	whole := s.env.On(WholeFiles)
	for i := range listed {
		p := s.onNotice(n, i)
		id := people.MaskID(p.ID)
		if whole {
			id = p.ID
		}
		_ = c.Write([]string{strconv.Itoa(i + 1), p.Name, id, villages[i%len(villages)], strconv.Itoa(300 + i%9*50)})
	}
	c.Flush()
	w.Header().Set("Content-Type", "text/csv; charset=utf-8")
	w.Header().Set("Content-Disposition", `attachment; filename="`+r.PathValue("file")+`"`)
	_, _ = w.Write(b.Bytes())
}

// pupils lists whom a school takes.
func (s *service) pupils(w http.ResponseWriter, r *http.Request) {
	school := number(r, "schoolId") - 11
	if school < 0 || school >= schools {
		bad(w, "404", "学校不存在")
		return
	}
	from, to := part(r, pupils, 20)
	whole := s.env.On(WholeSchool)
	if whole {
		from, to = 0, pupils
	}
	rows := []obj{}
	for i := from; i < to; i++ {
		p := s.env.Town.Person(7000 + school*pupils + i)
		row := obj{"enrolNo": fmt.Sprintf("26%02d%04d", school, i*3+101), "pupilName": people.MaskName(p.Name), "classNo": 1 + i%8}
		if whole {
			row["parentName"], row["parentPhone"] = p.Name, p.Phone
		}
		rows = append(rows, row)
	}
	good(w, obj{"total": pupils, "rows": rows})
}

func guide(i int) obj {
	return obj{"guideId": 500 + i, "title": items[i%len(items)] + "办事指南", "dept": departmentsOf[i%len(departmentsOf)], "days": 1 + i%15}
}

func (s *service) guides(w http.ResponseWriter, r *http.Request) {
	from, to := part(r, guides, 15)
	rows := []obj{}
	for i := from; i < to; i++ {
		rows = append(rows, guide(i))
	}
	good(w, obj{"total": guides, "rows": rows})
}

// search looks a word up. Quotation marks are a part of some titles.
func (s *service) search(w http.ResponseWriter, r *http.Request) {
	term := r.URL.Query().Get("keyword")
	if strings.Count(term, "'")%2 == 1 && s.env.On(OracleSearch) {
		write(w, 500, obj{"code": "500", "msg": "### Error querying database.  Cause: java.sql.SQLSyntaxErrorException: ORA-01756: quoted string not properly terminated\n### The error may exist in file [/opt/zwfw/WEB-INF/classes/mapper/GuideMapper.xml]\n### The error occurred while setting parameters\n### SQL: SELECT ID, TITLE FROM T_GUIDE WHERE TITLE LIKE '%" + term + "%'", "data": nil})
		return
	}
	rows := []obj{}
	for i := range guides {
		if g := guide(i); term != "" && strings.Contains(g["title"].(string), strings.Trim(term, "'“”")) && len(rows) < 15 {
			rows = append(rows, g)
		}
	}
	good(w, obj{"total": len(rows), "rows": rows})
}

// progress says how an application stands to whom holds the receipt.
func (s *service) progress(w http.ResponseWriter, r *http.Request) {
	in := victim.Posted(r)
	c := s.byCase[in["idNo"]]
	if s.failed["p"+s.day(in["idNo"])] >= 8 {
		s.limited(w)
		return
	}
	if c == nil || c.code != in["queryCode"] {
		s.failed["p"+s.day(in["idNo"])]++
		switch {
		case !s.env.On(ToldApplicants):
			bad(w, "1003", "查询信息不匹配，请核对回执单")
		case c == nil:
			bad(w, "1001", "未查询到该身份证号的办件信息")
		default:
			bad(w, "1002", "查询码错误，请核对回执单")
		}
		return
	}
	good(w, obj{"caseNo": c.no, "itemName": c.item, "applyTime": c.at.Format(clock), "stage": stages[c.steps%len(stages)]})
}

// question is what terminals ask.
type question struct {
	XMLName xml.Name `xml:"request"`
	ID      string   `xml:"idNo"`
}

// insured is what terminals in service halls print.
type insured struct {
	XMLName xml.Name `xml:"response"`
	Code    string   `xml:"code"`
	Msg     string   `xml:"msg"`
	Person  *holder  `xml:"data>person,omitempty"`
	Trace   string   `xml:"trace,omitempty"`
}

type holder struct {
	Name    string `xml:"personName"`
	ID      string `xml:"idNo"`
	Phone   string `xml:"phone"`
	Unit    string `xml:"unit"`
	Months  int    `xml:"months"`
	Balance string `xml:"balance"`
}

func writeXML(w http.ResponseWriter, status int, v any) {
	b, err := xml.Marshal(v)
	if err != nil {
		panic(err) // only plain values are written
	}
	w.Header().Set("Content-Type", "text/xml;charset=UTF-8")
	w.WriteHeader(status)
	_, _ = w.Write(append([]byte(xml.Header), b...))
}

// terminal is the older interface: a key, an identity number, a document.
func (s *service) terminal(w http.ResponseWriter, r *http.Request) {
	if r.Header.Get("X-Terminal-Key") != termKey && !s.env.On(OpenTerminal) {
		writeXML(w, 200, insured{Code: "401", Msg: "终端未授权"})
		return
	}
	var in question
	_ = xml.NewDecoder(http.MaxBytesReader(nil, r.Body, 1<<16)).Decode(&in)
	id := in.ID
	if len(id) != 18 {
		if s.env.On(TerminalTrace) {
			writeXML(w, 500, insured{Code: "500", Msg: "系统异常", Trace: "java.lang.StringIndexOutOfBoundsException: String index out of range: " + strconv.Itoa(len(id)) +
				"\n\tat java.lang.String.substring(String.java:1963)\n\tat com.example.zwfw.ws.InsuredService.birth(InsuredService.java:77)\n\tat com.example.zwfw.ws.TerminalAction.insured(TerminalAction.java:41)\n\tat org.apache.struts2.dispatcher.Dispatcher.serviceAction(Dispatcher.java:567)\n"})
			return
		}
		writeXML(w, 200, insured{Code: "400", Msg: "参数格式不正确"})
		return
	}
	c := s.byID[id]
	if c == nil {
		writeXML(w, 200, insured{Code: "0", Msg: "操作成功"})
		return
	}
	p := c.person
	writeXML(w, 200, insured{Code: "0", Msg: "操作成功", Person: &holder{Name: p.Name, ID: p.ID, Phone: p.Phone, Unit: p.City + "城建集团有限公司", Months: 12 + p.Index%200, Balance: fmt.Sprintf("%d.%02d", 2000+p.Index%9000, p.Index%100)}})
}

// sync gives the province's platform the applications of a day: an approved
// batch.
func (s *service) sync(w http.ResponseWriter, r *http.Request) {
	if r.Header.Get("X-App-Key") != syncKey || r.Header.Get("X-App-Secret") != syncPass {
		write(w, 401, obj{"code": "401", "msg": "应用身份校验失败", "data": nil})
		return
	}
	rows := []obj{}
	for _, c := range s.cases[max(len(s.cases)-180, 0):] {
		rows = append(rows, obj{"caseNo": c.no, "itemName": c.item, "applicantName": c.owner.Name, "applicantIdNo": c.owner.ID, "applicantPhone": c.owner.Phone, "applyTime": c.at.Format(clock)})
	}
	good(w, obj{"total": len(rows), "rows": rows})
}
