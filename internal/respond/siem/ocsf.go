package siem

import (
	"fmt"
	"strings"
)

// OCSFVersion is the version of the schema that events follow.
const OCSFVersion = "1.8.0"

// Classes of OCSF that events are.
const (
	detectionFinding = 2004
	incidentFinding  = 2005
	vulnerability    = 2002
)

var (
	severityNames = [...]string{"Unknown", "Informational", "Low", "Medium", "High", "Critical"}
	changeNames   = [...]string{"", "Create", "Update", "Close"}
	classNames    = map[int]string{detectionFinding: "Detection Finding", incidentFinding: "Incident Finding", vulnerability: "Vulnerability Finding"}
)

type object = map[string]any

// ocsf writes an event as OCSF.
func ocsf(e *Event, version string) object {
	class := map[string]int{Attack: detectionFinding, Campaign: incidentFinding, Defect: vulnerability}[e.Of]
	out := object{
		"activity_id": e.Change, "activity_name": changeNames[e.Change], "category_uid": 2, "category_name": "Findings", "class_uid": class, "class_name": classNames[class],
		"type_uid": class*100 + e.Change, "type_name": classNames[class] + ": " + changeNames[e.Change],
		"severity_id": e.Severity, "severity": severityNames[e.Severity], "time": e.At.UnixMilli(), "start_time": e.First.UnixMilli(), "end_time": e.At.UnixMilli(), "message": e.Reason,
		"metadata": object{"version": OCSFVersion, "uid": e.UID, "product": object{"name": "Xiezhi", "vendor_name": "Xiezhi", "version": version}},
		"unmapped": object{"kind": e.Kind, "scenario": e.Scenario, "status": e.Status, "sites": e.Sites, "requests": e.Requests, "blocked": e.Blocked, "succeeded": e.Succeeded, "subjects_exposed": e.Exposed, "source_ip_count": e.IPCount, "link": e.Link, "campaign": e.Campaign},
	}
	if e.Campaign != "" {
		out["metadata"].(object)["correlation_uid"] = e.Campaign
	}
	if e.Confidence > 0 {
		id := 1 + min(int(e.Confidence*3), 2)
		out["confidence_id"], out["confidence"], out["confidence_score"] = id, []string{"", "Low", "Medium", "High"}[id], int(e.Confidence*100)
	}
	info := object{"uid": e.UID, "title": e.Name, "desc": e.Reason, "types": []string{e.Kind}, "first_seen_time": e.First.UnixMilli(), "last_seen_time": e.At.UnixMilli(), "created_time": e.First.UnixMilli()}
	if e.Link != "" {
		info["src_url"] = e.Link
	}
	switch e.Of {
	case Attack:
		out["finding_info"], out["is_alert"], out["status_id"], out["status"] = info, true, 1, "New"
		out["evidences"] = e.ocsfEvidences()
		risk := min(e.Severity-1, 4)
		out["risk_level_id"], out["risk_level"], out["risk_score"] = risk, []string{"Info", "Low", "Medium", "High", "Critical"}[risk], int(float64(e.Severity)*20*max(e.Confidence, 0.5))
	case Campaign:
		list := []object{info}
		for _, id := range e.Members {
			list = append(list, object{"uid": id, "title": id})
		}
		out["finding_info_list"], out["desc"], out["status_id"], out["status"], out["verdict_id"], out["verdict"] = list, e.Reason, 1, "New", 2, "True Positive"
		out["assignee_group"], out["evidences"] = object{"name": "unassigned"}, e.ocsfEvidences()
		if e.Link != "" {
			out["src_url"] = e.Link
		}
	case Defect:
		out["finding_info"] = info
		id, name := 1, "New"
		if e.Change == Closed {
			id, name = 4, "Resolved"
		}
		out["status_id"], out["status"] = id, name
		v := object{"title": e.Name, "desc": e.Reason, "severity": severityNames[e.Severity], "vendor_name": "Xiezhi", "first_seen_time": e.First.UnixMilli(), "last_seen_time": e.At.UnixMilli(), "remediation": object{"desc": e.Advice}}
		cwe := "CWE-693" // protection mechanism failure, where no narrower one is known
		if len(e.CWE) > 0 {
			cwe = e.CWE[0]
		}
		v["cwe"] = object{"uid": cwe}
		out["vulnerabilities"], out["evidences"] = []object{v}, e.ocsfEvidences()
		var resources []object
		for _, a := range e.APIs {
			resources = append(resources, object{"uid": a.ID, "name": operation(a.Method, a.Host, a.Template), "type": "API"})
		}
		if resources != nil {
			out["resources"] = resources
		}
		out["unmapped"].(object)["owasp"] = e.OWASP
	}
	return out
}

func operation(method, host, template string) string { return method + " " + host + template }

// ocsfEvidences gives what the event rests on, then whom and what it is about.
func (e *Event) ocsfEvidences() []object {
	list := []object{}
	for _, v := range e.Evidence {
		data := object{"text": v.Text}
		for k, s := range map[string]string{"observed": v.Observed, "expected": v.Expected, "exchange": v.Exchange} {
			if s != "" {
				data[k] = s
			}
		}
		list = append(list, object{"name": v.Name, "data": data})
	}
	for _, a := range e.APIs {
		list = append(list, object{"name": "api", "api": object{"operation": a.Method + " " + a.Template}, "dst_endpoint": object{"hostname": a.Host}})
	}
	for _, ip := range e.IPs {
		list = append(list, object{"name": "source", "src_endpoint": object{"ip": ip}})
	}
	return list
}

// ecs writes an event as the Elastic Common Schema has it.
func ecs(e *Event, version string) object {
	category := map[string][]string{Attack: {"intrusion_detection", "web"}, Campaign: {"intrusion_detection", "threat"}, Defect: {"vulnerability", "web"}}[e.Of]
	kind := "alert"
	if e.Of == Defect {
		kind = "state"
	}
	typ := map[int]string{Created: "info", Updated: "change", Closed: "end"}[e.Change]
	if e.Of != Defect && e.Change == Created {
		typ = "start"
	}
	if e.Of != Attack && typ != "info" { // what its categories allow
		typ = "info"
	}
	event := object{"kind": kind, "category": category, "type": []string{typ}, "id": e.UID, "action": e.Of + "-" + strings.ToLower(changeNames[e.Change]), "module": "xiezhi", "dataset": "xiezhi." + e.Of,
		"provider": "xiezhi", "reason": e.Reason, "severity": e.Severity, "start": stamp(e.First), "end": stamp(e.At), "risk_score": e.Severity * 20}
	if e.Link != "" {
		event["url"] = e.Link
	}
	out := object{"@timestamp": stamp(e.At), "ecs": object{"version": "8.17.0"}, "message": e.Reason, "event": event,
		"observer": object{"vendor": "Xiezhi", "product": "Xiezhi", "type": "ids", "version": version},
		"rule":     object{"id": e.Kind, "name": e.Name, "category": e.Scenario, "ruleset": "xiezhi"},
		"related":  object{"ip": nonNil(e.IPs), "hosts": hosts(e)},
		"xiezhi":   object{"kind": e.Kind, "status": e.Status, "confidence": e.Confidence, "campaign": e.Campaign, "sites": e.Sites, "requests": e.Requests, "blocked": e.Blocked, "succeeded": e.Succeeded, "subjects_exposed": e.Exposed, "source_ip_count": e.IPCount, "evidence": e.plainEvidence(), "members": nonNil(e.Members), "link": e.Link},
		"labels":   object{"finding": e.Of},
	}
	if len(e.IPs) > 0 {
		out["source"] = object{"ip": e.IPs[0], "address": e.IPs[0]}
	}
	if len(e.APIs) > 0 {
		a := e.APIs[0]
		out["url"], out["http"] = object{"domain": a.Host, "path": a.Template}, object{"request": object{"method": a.Method}}
	}
	switch e.Of {
	case Campaign:
		out["threat"] = object{"group": object{"id": e.UID, "name": e.Name}}
	case Attack:
		if e.Campaign != "" {
			out["threat"] = object{"group": object{"id": e.Campaign}}
		}
	case Defect:
		v := object{"id": e.UID, "description": e.Reason, "severity": severityNames[e.Severity], "category": []string{e.Scenario}, "classification": "CWE", "scanner": object{"vendor": "Xiezhi"}}
		if len(e.CWE) > 0 {
			v["enumeration"], v["reference"] = "CWE", e.CWE[0]
		}
		out["vulnerability"] = v
		out["xiezhi"].(object)["advice"], out["xiezhi"].(object)["owasp"] = e.Advice, nonNil(e.OWASP)
	}
	return out
}

func (e *Event) plainEvidence() []string {
	out := []string{}
	for _, v := range e.Evidence {
		text := v.Text
		if v.Observed != "" && !strings.Contains(text, v.Observed) {
			text = fmt.Sprintf("%s [%s]", text, v.Observed)
		}
		out = append(out, text)
	}
	return out
}

func hosts(e *Event) []string {
	out := []string{}
	seen := map[string]bool{}
	for _, a := range e.APIs {
		if !seen[a.Host] {
			seen[a.Host] = true
			out = append(out, a.Host)
		}
	}
	return out
}

func nonNil(s []string) []string {
	if s == nil {
		return []string{}
	}
	return s
}
