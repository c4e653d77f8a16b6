package shop

var (
	brands = []string{"Levi's牛仔", "小熊", "欧莱雅L'Oréal", "双立人", "海尔", "McDonald's联名", "飞利浦", "膳魔师"}
	goods  = []string{"保温杯", "电水壶", "护手霜", "双肩包", "加湿器", "收纳箱", "毛巾", "台灯", "雨伞", "拖鞋", "抱枕", "跳绳", "餐具", "闹钟", "花瓶"}
	prizes = []string{"蓝牙耳机", "满减券", "电动牙刷", "充电宝"}
	trades = []string{"恒通塑业", "佳禾食品", "锦绣纺织", "天工五金", "润泽日化", "远航包装"}
)

func document(title, script string) string {
	return "<!DOCTYPE html>\n<html lang=\"zh-CN\">\n<head>\n<meta charset=\"utf-8\">\n<title>" + title + "</title>\n</head>\n<body>\n<div id=\"root\"></div>\n<script src=\"/static/" + script + "\"></script>\n</body>\n</html>\n"
}

var (
	home          = document("优选商城", "home.77ad.js")
	winnersPage   = document("周年庆抽奖 中奖名单公示", "winners.31c0.js")
	suppliersPage = document("供应商公示", "suppliers.9be2.js")
)

const client = `function ask(u,done){fetch(u,{credentials:"include"}).then(function(r){return r.json()}).then(function(b){if(b.success){done(b.data)}else{alert(b.message)}})}
var root=document.getElementById("root");
function cell(row,text){var td=document.createElement("td");td.textContent=text;row.appendChild(td)}
`

// The notices' scripts name what they show: nothing that is not masked.
const (
	winnersScript = `(function(){"use strict";
` + client + `var at=/[?&]id=(\d+)/.exec(location.search);ask("/api/activity/"+(at?at[1]:"3001")+"/winners?page=1",function(d){var t=document.createElement("table");d.rows.forEach(function(it){var r=document.createElement("tr");
cell(r,it.nickname);cell(r,it.city);cell(r,it.phoneMask);cell(r,it.prize);t.appendChild(r)});root.appendChild(t);root.dataset.count=d.total})})();
`
	suppliersScript = `(function(){"use strict";
` + client + `ask("/api/notice/suppliers?page=1",function(d){var t=document.createElement("table");d.rows.forEach(function(it){var r=document.createElement("tr");
cell(r,it.company);cell(r,it.grade);cell(r,it.hotline);t.appendChild(r)});root.appendChild(t);root.dataset.count=d.total})})();
`
	homeScript = `(function(){"use strict";
` + client + `ask("/api/products?page=1",function(d){d.rows.forEach(function(it){var p=document.createElement("p");p.textContent=it.title+" ¥"+it.price+" 已售"+it.sold;p.onclick=function(){
ask("/api/products/"+it.id,function(g){alert(g.title+g.desc+g.tags.join())})};root.appendChild(p)})});
window.mine=function(){ask("/api/user/profile",function(u){alert(u.nickname+u.mobile+u.vipLevel+u.points)});ask("/api/orders?page=1",function(d){d.rows.forEach(function(o){
var p=document.createElement("p");p.textContent=o.orderId+o.title+o.amount+o.status+o.createTime;p.onclick=function(){ask("/api/orders/"+o.orderId,function(f){alert(f.receiver+f.mobile+f.address)})};root.appendChild(p)})})};
window.desk=function(n){ask("/api/merchant/orders?page="+n,function(d){d.rows.forEach(function(o){var r=document.createElement("tr");cell(r,o.orderId);cell(r,o.receiver);cell(r,o.mobile);cell(r,o.address);root.appendChild(r)})})};
})();
`
)
