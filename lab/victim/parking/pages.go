package parking

var lotNames = []string{"国际中心地下停车场", "火车南站P2停车场", "人民医院停车场", "万象城停车场", "体育中心停车场", "科技园三期停车场"}

const page = `<!DOCTYPE html>
<html lang="zh-CN">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width,initial-scale=1">
<title>停车缴费</title>
<link rel="stylesheet" href="/static/css/pay.5c1e9b.css">
</head>
<body>
<div id="app"></div>
<script src="/static/js/pay.5c1e9b.js"></script>
</body>
</html>
`

// script shows of a stay what is owed, and nothing else.
const script = `(function(){"use strict";
var app=document.getElementById("app");
function call(method,url,body,done){var x=new XMLHttpRequest();x.open(method,url);var t=localStorage.getItem("tk");if(t)x.setRequestHeader("Authorization","Bearer "+t);
x.setRequestHeader("Content-Type","application/json");x.onload=function(){var r=JSON.parse(x.responseText);if(r.code===0){done(r.data)}else{tip(r.message)}};x.send(body?JSON.stringify(body):null)}
function tip(text){var d=document.createElement("div");d.className="tip";d.textContent=text;app.appendChild(d)}
function line(title,value){var p=document.createElement("p");p.textContent=title+"："+value;app.appendChild(p)}
function showFee(plate){call("GET","/api/v1/parking/fee?plateNo="+encodeURIComponent(plate),null,function(stay){app.innerHTML="";
line("车牌",stay.plateNo);line("停车时长",stay.minutes+"分钟");if(stay.minutes<=stay.freeMinutes){line("应付","0")}else{line("应付",stay.fee+"元")}
var b=document.createElement("button");b.textContent="立即支付";b.onclick=function(){call("POST","/api/v1/parking/orders/"+stay.orderNo+"/pay",{channel:"wxpay"},function(paid){line("请于此时间前离场",paid.leaveBefore)})};app.appendChild(b)})}
function showLots(page){call("GET","/api/v1/lots?page="+page,null,function(found){found.list.forEach(function(lot){line(lot.name,lot.address+" 空位"+lot.free+" "+lot.price+lot.unit+" "+lot.serviceTel);})})}
var q=/[?&]plate=([^&]+)/.exec(location.search);if(q){showFee(decodeURIComponent(q[1]))}else{showLots(1)}
})();
`
