package reporttest

import (
	"fmt"
	"reflect"
	"strings"
	"time"

	"xiezhi/internal/message"
	"xiezhi/internal/report"
)

// Large is the report of Year with n APIs, a defect on every tenth and an
// attack on every twentieth of them.
func Large(n int, msgs *message.Catalog) *report.Report {
	r := Year(7, msgs)
	y, d, a := len(r.APIs), r.Defects, r.Attacks
	for i := y; i < n; i++ {
		x := r.APIs[i%y]
		x.ID = fmt.Sprintf("%016x", 0xabc0000000000000+uint64(i))
		x.Site = shops[i%len(shops)].name
		x.Template = fmt.Sprintf("/svc-%02d/api/v%d/module-%03d/{id}/resource-%d", i%37, i%3, i%211, i)
		r.APIs = append(r.APIs, x)
		if i%10 == 0 {
			f := d[i%len(d)]
			f.ID, f.API, f.ExploitedBy = fmt.Sprintf("%016x", 0xdef0000000000000+uint64(i)), x.ID, []string{}
			r.Defects = append(r.Defects, f)
		}
		if i%20 == 0 {
			t := a[i%len(a)]
			t.ID, t.APIs, t.Site = fmt.Sprintf("%024x", i), []string{x.ID}, x.Site
			t.Activity = []report.Activity{{Day: t.FirstSeen.Format(time.DateOnly), API: x.ID, Requests: t.Requests, Blocked: t.Blocked, Succeeded: t.Succeeded}}
			r.Attacks = append(r.Attacks, t)
		}
	}
	report.Order(r)
	r.Statistics = report.Count(r)
	return r
}

// Small is the report of Year with its first attacks and defects only, for
// tests that write many documents.
func Small(seed uint64, msgs *message.Catalog) *report.Report {
	r := Year(seed, msgs)
	r.Attacks, r.Defects = r.Attacks[:24], r.Defects[:8]
	r.Statistics = report.Count(r)
	return r
}

// Rewrite changes every string of a report. path names the place: field names
// joined by dots, without indices.
func Rewrite(r *report.Report, change func(path, s string) string) {
	rewrite(reflect.ValueOf(r).Elem(), "", change)
}

func rewrite(v reflect.Value, path string, change func(path, s string) string) {
	switch v.Kind() {
	case reflect.String:
		v.SetString(change(path, v.String()))
	case reflect.Struct:
		if v.Type() == reflect.TypeFor[time.Time]() {
			return
		}
		for i := range v.NumField() {
			rewrite(v.Field(i), strings.TrimPrefix(path+"."+v.Type().Field(i).Name, "."), change)
		}
	case reflect.Slice:
		for i := range v.Len() {
			rewrite(v.Index(i), path, change)
		}
	case reflect.Pointer:
		if !v.IsNil() {
			rewrite(v.Elem(), path, change)
		}
	}
}

// Enumerations are the paths whose strings come from the taxonomy or link
// parts of the report; a reader of reports refuses other values.
var Enumerations = map[string]bool{"Schema": true, "Input.Addresses": true, "Input.Dropped.Reason": true, "Input.Quality.Code": true, "Sites.Name": true, "Sites.TimeZone": true,
	"Sites.Industry": true, "APIs.ID": true, "APIs.Site": true, "APIs.Role": true, "APIs.Lifecycle": true, "APIs.Exposure": true, "APIs.Auth": true, "APIs.Sensitive.In": true,
	"APIs.Sensitive.Type": true, "Defects.ID": true, "Defects.Class": true, "Defects.Kind": true, "Defects.API": true, "Defects.Severity": true, "Defects.Harm": true,
	"Defects.Exploitability": true, "Defects.Prevalence": true, "Defects.Status": true, "Defects.ExploitedBy": true, "Defects.CWE": true, "Attacks.ID": true, "Attacks.Kind": true, "Attacks.Scenario": true,
	"Attacks.Site": true, "Attacks.APIs": true, "Attacks.Verdict": true, "Attacks.Through": true, "Attacks.Selector.APIs": true, "Attacks.Reasons.Family": true,
	"Attacks.Action.Kind": true, "Attacks.Activity.Day": true, "Attacks.Activity.API": true, "Campaigns.ID": true, "Campaigns.Attacks": true, "Campaigns.Sites": true,
	"Campaigns.Industries": true, "Campaigns.Scenarios": true, "Campaigns.Kinds": true, "Campaigns.Through": true, "Campaigns.Links.Attacks": true, "Campaigns.Targets.Site": true,
	"Campaigns.Targets.Industry": true, "Campaigns.Targets.Outcome": true, "Campaigns.Timeline.Event": true, "Campaigns.Timeline.Site": true, "Campaigns.Timeline.Attack": true,
	"Period.Kind": true, "Period.First": true, "Period.Last": true, "Period.Course.Month": true, "Period.Previous.First": true, "Period.Previous.Last": true, "Period.Changes.Change": true, "Period.Changes.Defect": true,
	"Statistics.DefectRanking.Class": true, "Statistics.DefectRanking.Harm": true, "Statistics.DefectRanking.Exploitability": true, "Statistics.DefectRanking.Prevalence": true}
