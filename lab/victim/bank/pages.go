package bank

var merchants = []string{"商户消费", "手机充值", "水费代扣", "跨行转入", "网上购物"}

func document(title, script string) string {
	return "<!DOCTYPE html>\n<html lang=\"zh-CN\">\n<head>\n<meta charset=\"utf-8\">\n<meta name=\"viewport\" content=\"width=device-width,initial-scale=1\">\n<title>" + title + "</title>\n</head>\n<body>\n<div id=\"app\"></div>\n<script src=\"/h5/js/" + script + "\"></script>\n</body>\n</html>\n"
}

var (
	progressPage = document("信用卡申请进度查询", "progress.61b0.js")
	invitePage   = document("邀好友 赢好礼", "invite.d7a2.js")
	loanPage     = document("还款计划", "loan.40fe.js")
)

const client = `var app=document.getElementById("app");
function ask(m,u,b,done){fetch(u,{method:m,headers:{"Content-Type":"application/json"},body:b?JSON.stringify(b):undefined}).then(function(r){return r.json()}).then(function(r){if(r.code==="000000"){done(r.result)}else{alert(r.message)}})}
function line(){var p=document.createElement("p");p.textContent=Array.prototype.join.call(arguments," ");app.appendChild(p)}
`

// The scripts name what their pages show, and nothing else.
const (
	progressScript = `(function(){"use strict";
` + client + `window.query=function(cert,mobile){ask("POST","/api/card/progress",{certNo:cert,mobile:mobile},function(d){if(d.applied===false){line("暂无申请")}else{line(d.accepted||d.applied?"已受理":"")}})};
})();
//# sourceMappingURL=progress.61b0.js.map
`
	inviteScript = `(function(){"use strict";
` + client + `ask("GET","/api/activity/invite/ranking?page=1",null,function(d){d.list.forEach(function(it){line(it.rank,it.nickName,it.mobileMask,it.invited)});app.dataset.n=d.total});
})();
`
	loanScript = `(function(){"use strict";
` + client + `window.plan=function(id){ask("GET","/api/loan/plans/"+id,null,function(d){line(d.contractId,d.custNo,d.borrowerName,d.mobile,d.cardTail,d.nextDate,d.nextAmount)})};
})();
`
)
