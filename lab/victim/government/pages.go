package government

var (
	items         = []string{"居住证签注", "公租房申请", "灵活就业参保登记", "新生儿落户", "残疾人两项补贴", "个体工商户设立", "老年优待证办理", "不动产首次登记", "护照'加急'换发"}
	stages        = []string{"已受理", "部门审核", "领导审批", "制证", "已办结"}
	departmentsOf = []string{"公安局", "住建局", "人社局", "民政局", "市场监管局"}
	certNames     = []string{"居民电子证", "社会保障卡", "不动产权证书", "婚姻登记证", "老年优待证"}
	noticeTitles  = []string{"公租房保障对象公示", "耕地地力保护补贴公示", "高龄津贴发放名单公示", "残疾人两项补贴公示", "农机购置补贴公示"}
	villages      = []string{"东桥村", "河口社区", "石塘村", "新城社区", "柳林村"}
	remarks       = []string{"材料齐全，建议通过", "与税务数据比对不一致，待核", "申请人来电投诉过一次"}
	officers      = []string{"xxzx01", "xxzx02", "sp_zhang", "sp_liu", "sp_chen", "ck01", "ck02", "ck03", "ck04", "ck05", "ck06", "ck07"}
)

func document(title, script string) string {
	return "<!DOCTYPE html>\n<html lang=\"zh-CN\">\n<head>\n<meta charset=\"utf-8\">\n<title>" + title + "</title>\n<link rel=\"stylesheet\" href=\"/static/css/portal.css\">\n</head>\n<body>\n<div class=\"top\">临江市政务服务网</div>\n<div id=\"main\"></div>\n<script src=\"/static/js/" + script + "\"></script>\n</body>\n</html>\n"
}

var (
	homePage     = document("临江市政务服务网", "portal.3f1b.js")
	noticePage   = document("公示公告", "notice.0c27.js")
	schoolPage   = document("义务教育招生公示", "school.5d0e.js")
	progressPage = document("办事进度查询", "progress.a914.js")
	minePage     = document("个人中心", "mine.e8c2.js")
	deskPage     = document("综合审批系统 后台登录", "desk.77f0.js")
)

const client = `var main=document.getElementById("main");
function ask(method,url,form,done){var x=new XMLHttpRequest();x.open(method,url);if(form){x.setRequestHeader("Content-Type","application/x-www-form-urlencoded")}
x.onload=function(){var r=JSON.parse(x.responseText);if(r.code=="0"){done(r.data)}else{alert(r.msg)}};x.send(form||null)}
function line(){var p=document.createElement("tr");for(var i=0;i<arguments.length;i++){var td=document.createElement("td");td.textContent=arguments[i];p.appendChild(td)}main.appendChild(p);return p}
`

// The scripts name what their pages show, and nothing else.
const (
	portalScript = `(function(){"use strict";
` + client + `ask("GET","/api/guides/list?pageNo=1",null,function(d){d.rows.forEach(function(g){line(g.guideId,g.title,g.dept,g.days)});main.dataset.n=d.total});
window.find=function(w){ask("GET","/api/guides/search?keyword="+encodeURIComponent(w),null,function(d){d.rows.forEach(function(g){line(g.title,g.dept)})})};
})();
`
	noticeScript = `(function(){"use strict";
` + client + `ask("GET","/api/notices/list?pageNo=1",null,function(d){d.rows.forEach(function(n){var r=line(n.title,n.publishDate,n.attachment);r.onclick=function(){show(n.noticeId,1)}});main.dataset.n=d.total});
function show(id,page){ask("GET","/api/notices/persons?noticeId="+id+"&pageNo="+page,null,function(d){d.rows.forEach(function(m){line(m.personName,m.idNoMask,m.village,m.amount)})})}
})();
`
	schoolScript = `(function(){"use strict";
` + client + `window.school=function(id,page){ask("GET","/api/school/pupils?schoolId="+id+"&pageNo="+page,null,function(d){d.rows.forEach(function(m){line(m.enrolNo,m.pupilName,m.classNo)});main.dataset.n=d.total})};
})();
`
	progressScript = `(function(){"use strict";
` + client + `window.query=function(id,code){ask("POST","/api/progress/query","idNo="+id+"&queryCode="+code,function(c){line(c.caseNo,c.itemName,c.applyTime,c.stage)})};
})();
`
	mineScript = `(function(){"use strict";
` + client + `window.code=function(id){ask("POST","/api/sms/send","idNo="+id,function(d){line(d.expire)})};
window.enter=function(id,code){ask("POST","/api/user/smslogin","idNo="+id+"&smsCode="+code,function(u){line(u.personName);all()})};
function all(){ask("GET","/api/mine/info",null,function(u){line(u.personName,u.phone,u.certified)});
ask("GET","/api/mine/applications",null,function(d){d.rows.forEach(function(c){line(c.caseNo,c.itemName,c.applyTime,c.stage)})});
ask("GET","/api/mine/certificates",null,function(d){d.rows.forEach(function(c){var r=line(c.certName,c.issuer,c.validTo);r.onclick=function(){ask("GET","/api/certs/detail?certId="+c.certId,null,function(f){line(f.holderName,f.holderIdNo,f.holderPhone,f.fileName)})}})})}
})();
`
	deskScript = `(function(){"use strict";
` + client + `function call(method,url,body,done){var x=new XMLHttpRequest();x.open(method,url);x.setRequestHeader("X-Access-Token",sessionStorage.getItem("t"));x.setRequestHeader("Content-Type","application/json");
x.onload=function(){var r=JSON.parse(x.responseText);if(r.code=="0"){done(r.data)}else{alert(r.msg)}};x.send(body?JSON.stringify(body):null)}
window.enter=function(u,p){call("POST","/admin/api/login",{account:u,password:p},function(d){sessionStorage.setItem("t",d.token);if(d.mustChange){location.hash="#/password"}call("GET","/admin/api/user/info",null,function(o){line(o.userId,o.account,o.roleName,o.dept)})})};
window.queue=function(n){call("GET","/admin/api/cases/list?pageNo="+n,null,function(d){d.rows.forEach(function(c){var r=line(c.caseId,c.caseNo,c.itemName,c.applicantName,c.applicantPhone);r.onclick=function(){call("GET","/admin/api/cases/detail?caseId="+c.caseId,null,function(f){line(f.applicantName,f.applicantPhone,f.applicantIdNo,f.stage)})}})})};
})();
`
)
