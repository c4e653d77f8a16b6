package office

var staffNames = []string{"admin", "wang.lei", "li.na", "zhou.min", "xu.tao", "chen.jie", "liu.fang", "zhao.yu", "huang.bo", "sun.mei", "hu.jun", "zhu.li", "gao.peng"}

const loginPage = `<!DOCTYPE html>
<html lang="zh-CN">
<head>
<meta charset="utf-8">
<title>运营后台登录</title>
</head>
<body>
<div id="app"></div>
<script src="/static/admin.8f03.js"></script>
</body>
</html>
`

const script = `(function(){"use strict";
var app=document.getElementById("app");
function call(method,url,body,done){var x=new XMLHttpRequest();x.open(method,url);var t=sessionStorage.getItem("t");if(t)x.setRequestHeader("Authorization","Bearer "+t);
x.setRequestHeader("Content-Type","application/json");x.onload=function(){var r=JSON.parse(x.responseText);if(r.code===200){done(r.data)}else{alert(r.msg)}};x.send(body?JSON.stringify(body):null)}
function cell(row,text){var td=document.createElement("td");td.textContent=text;row.appendChild(td)}
window.signIn=function(u,p){call("POST","/admin/api/login",{username:u,password:p},function(d){sessionStorage.setItem("t",d.token);if(d.mustChangePassword){location.hash="#/password"}else{home()}})};
function home(){call("GET","/admin/api/userinfo",null,function(u){app.textContent=u.nickName+" "+u.roles.join()+" "+u.userName+u.userId});
call("GET","/admin/api/reports/daily",null,function(d){app.append(d.day,d.visits,d.orders)});list(1)}
function list(n){call("GET","/admin/api/members?pageNum="+n,null,function(d){d.rows.forEach(function(m){var r=document.createElement("tr");cell(r,m.memberId);cell(r,m.name);cell(r,m.mobile);cell(r,m.idCard);cell(r,m.city);
r.onclick=function(){call("GET","/admin/api/members/"+m.memberId,null,function(f){alert(f.name+f.mobile+f.idCard+f.city)})};app.appendChild(r)});app.dataset.total=d.total})}
function staff(){call("GET","/admin/api/staff",null,function(d){d.rows.forEach(function(s){var r=document.createElement("tr");cell(r,s.userId);cell(r,s.userName);cell(r,s.dept);cell(r,s.enabled);app.appendChild(r)})})}
window.staff=staff;
})();
//# sourceMappingURL=admin.8f03.js.map
`
