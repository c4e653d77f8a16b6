package government

import (
	"net/http"

	"xiezhi/lab/victim"
)

// missing is what the server says of what it does not have.
func missing(w http.ResponseWriter, _ *http.Request) {
	w.Header().Set("Content-Type", "text/html; charset=iso-8859-1")
	w.WriteHeader(http.StatusNotFound)
	_, _ = w.Write([]byte("<!DOCTYPE HTML PUBLIC \"-//IETF//DTD HTML 2.0//EN\">\n<html><head>\n<title>404 Not Found</title>\n</head><body>\n<h1>Not Found</h1>\n<p>The requested URL was not found on this server.</p>\n</body></html>\n"))
}

// behind serves something while a flaw is on.
func (s *service) behind(flaw, pattern, kind, body string) {
	s.mux.HandleFunc("GET "+pattern, victim.Behind(s.env.On, flaw, kind, body, missing))
}

// leftovers are what was deployed together with the portal.
func (s *service) leftovers() {
	s.behind(Registry, "/eureka/apps", "application/xml", "<applications>\n  <versions__delta>1</versions__delta>\n  <apps__hashcode>UP_2_</apps__hashcode>\n  <application>\n    <name>ZWFW-CERT</name>\n    <instance>\n      <instanceId>zwfw-cert:8090</instanceId>\n      <hostName>172.18.4.31</hostName>\n      <app>ZWFW-CERT</app>\n      <ipAddr>172.18.4.31</ipAddr>\n      <status>UP</status>\n      <port enabled=\"true\">8090</port>\n    </instance>\n  </application>\n</applications>\n")
	s.behind(WebInf, "/WEB-INF/web.xml", "application/xml", "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<web-app xmlns=\"http://java.sun.com/xml/ns/javaee\" version=\"3.0\">\n  <display-name>zwfw</display-name>\n  <filter>\n    <filter-name>struts2</filter-name>\n    <filter-class>org.apache.struts2.dispatcher.filter.StrutsPrepareAndExecuteFilter</filter-class>\n  </filter>\n  <servlet>\n    <servlet-name>terminal</servlet-name>\n    <servlet-class>com.example.zwfw.ws.TerminalServlet</servlet-class>\n  </servlet>\n</web-app>\n")
	s.behind(DocPage, "/doc.html", "text/html", "<!DOCTYPE html>\n<html lang=\"en\">\n<head>\n<meta charset=\"utf-8\">\n<title>接口文档</title>\n<link rel=\"icon\" href=\"./favicon.ico\">\n<link href=\"webjars/css/app.f802fc13.css\" rel=\"stylesheet\">\n</head>\n<body>\n<noscript><strong>We're sorry but knife4j-vue doesn't work properly without JavaScript enabled.</strong></noscript>\n<div id=\"app\"></div>\n<script src=\"webjars/js/app.23f8b31d.js\"></script>\n</body>\n</html>\n")
	s.behind(UploadFolder, "/upload/", "text/html;charset=UTF-8", "<!DOCTYPE HTML PUBLIC \"-//W3C//DTD HTML 3.2 Final//EN\">\n<html>\n <head>\n  <title>Index of /upload</title>\n </head>\n <body>\n<h1>Index of /upload</h1>\n<table>\n<tr><th><a href=\"?C=N;O=D\">Name</a></th><th><a href=\"?C=M;O=A\">Last modified</a></th><th><a href=\"?C=S;O=A\">Size</a></th></tr>\n<tr><td><a href=\"/\">Parent Directory</a></td><td>&nbsp;</td><td>-</td></tr>\n<tr><td><a href=\"202601/\">202601/</a></td><td>2026-01-31 18:02</td><td>-</td></tr>\n<tr><td><a href=\"202602/\">202602/</a></td><td>2026-02-27 17:40</td><td>-</td></tr>\n</table>\n</body></html>\n")
	s.mux.HandleFunc("/", missing)
}
