package government

import "xiezhi/lab/victim/visit"

// dialects are how such portals name things: in English, in initials of
// pinyin, in syllables and capitals as the database has them, in Chinese.
var dialects = []*visit.Dialect{
	{Under: "/api/", Prefix: "/portal", Texts: map[string]string{
		"操作成功": "success", "登录已失效，请重新登录": "Session expired, please log in", "操作过于频繁，请稍后再试": "Too many requests, please try again later",
		"查询信息不匹配，请核对回执单": "The details do not match, please check your receipt", "未查询到该身份证号的办件信息": "No application found for this ID number", "查询码错误，请核对回执单": "Incorrect query code, please check your receipt",
		"身份证号格式不正确": "Invalid ID number format", "该身份证号未注册": "This ID number is not registered", "图形验证码错误或已失效": "The captcha is wrong or has expired",
		"证件号码或密码错误": "Incorrect ID number or password", "初始密码已停用，请使用短信验证码登录后重设": "Initial passwords are disabled, please sign in by SMS code and choose one",
		"验证码错误或已过期": "The verification code is wrong or has expired", "密码至少8位，须包含大小写字母、数字和符号": "The password needs 8 characters with upper and lower case, digits and symbols",
		"注册未成功，请直接登录": "Registration failed, please sign in", "无权查看该证照": "You may not view this certificate", "终端未授权": "Terminal not authorized", "参数格式不正确": "Invalid parameter format",
		"系统异常": "System error", "应用身份校验失败": "Application authentication failed", "账号或密码错误": "Incorrect account or password", "没有审批权限": "No permission to approve", "无操作权限或账号已存在": "No permission, or the account exists",
	}},
	{Segments: map[string]string{"api": "zwfw", "notices": "gsgg", "persons": "gsmd.do", "list": "list.do", "school": "ywjy", "pupils": "xsmd.do", "guides": "bszn", "search": "search.do",
		"progress": "bjgl", "query": "jdcx.do", "captcha": "yzm", "image": "image.do", "sms": "dx", "send": "sendSms.do", "user": "yhgl", "login": "login.do", "smslogin": "smsLogin.do",
		"register": "zhuce.do", "logout": "logout.do", "mine": "grzx", "info": "getInfo.do", "applications": "wdbj.do", "apply": "sbtj.do", "certificates": "wdzz.do", "certs": "dzzz",
		"detail": "detail.do", "insured": "cbxx.do", "sync": "sync.do", "files": "wj", "approve": "sp.do", "add": "add.do", "password": "xgmm.do"},
		Words: map[string]string{"personName": "xm", "idNo": "sfzh", "idNoMask": "sfzhtm", "phone": "sjh", "bankCard": "yhkh", "village": "cjmc", "amount": "btje", "pupilName": "xsxm", "parentName": "jzxm",
			"parentPhone": "jzsjh", "enrolNo": "bmh", "classNo": "bj", "queryCode": "cxm", "caseNo": "bjbh", "itemName": "sxmc", "applyTime": "sbsj", "stage": "blhj", "smsCode": "dxyzm",
			"password": "mm", "captcha": "txyzm", "captchaKey": "yzmkey", "certId": "zzid", "certName": "zzmc", "issuer": "fzjg", "validTo": "yxqz", "holderName": "czrxm", "holderIdNo": "czrsfzh", "holderPhone": "czrsjh",
			"fileName": "wjm", "unit": "dwmc", "months": "jfys", "balance": "zhye", "applicantName": "sqrxm", "applicantPhone": "sqrsjh", "applicantIdNo": "sqrsfzh", "caseId": "bjid", "opinion": "spyj",
			"noticeId": "gsid", "title": "bt", "publishDate": "fbrq", "attachment": "fj", "schoolId": "xxid", "dept": "bm", "pageNo": "pageNo", "msg": "message", "rows": "rows"}},
	{Segments: map[string]string{"api": "egov", "notices": "gongshi", "persons": "mingdan.action", "list": "liebiao.action", "school": "zhaosheng", "pupils": "xuesheng.action", "guides": "zhinan", "search": "sousuo.action",
		"progress": "jindu", "query": "chaxun.action", "captcha": "yanzhengma", "image": "tupian.action", "sms": "duanxin", "send": "fasongyanzhengma.action", "user": "yonghu", "login": "denglu.action", "smslogin": "smslogin.action",
		"register": "zhuce.action", "logout": "tuichu.action", "mine": "wode", "info": "gerenxinxi.action", "applications": "banjian.action", "apply": "shenqing.action", "certificates": "zhengzhao.action", "certs": "dianzizhengzhao",
		"detail": "xiangqing.action", "insured": "canbao.action", "sync": "tongbu.action", "approve": "shenpi.action", "add": "xinzeng.action", "password": "xiugaimima.action"},
		Words: map[string]string{"code": "RETCODE", "msg": "RETMSG", "data": "DATA", "rows": "ROWS", "total": "TOTAL", "personName": "XINGMING", "idNo": "SHENFENZHENGHAO", "idNoMask": "SFZH_TM", "phone": "SHOUJIHAO", "bankCard": "YINHANGKA",
			"village": "CUNMING", "amount": "JINE", "pupilName": "XS_XINGMING", "parentName": "JZ_XINGMING", "parentPhone": "JZ_SHOUJIHAO", "queryCode": "CHAXUNMA", "caseNo": "BJBH", "itemName": "SXMC", "applyTime": "SBSJ", "stage": "HUANJIE",
			"smsCode": "YANZHENGMA", "password": "MIMA", "captcha": "TUPIANYZM", "captchaKey": "YZM_KEY", "certId": "ZZID", "certName": "ZZMC", "holderName": "CZR_XINGMING", "holderIdNo": "CZR_SHENFENZHENG", "holderPhone": "CZR_SHOUJIHAO",
			"applicantName": "SQR_XINGMING", "applicantPhone": "SQR_SHOUJIHAO", "applicantIdNo": "SQR_SHENFENZHENG", "caseId": "BJID", "noticeId": "GSID", "schoolId": "XXID", "title": "BIAOTI", "account": "ZHANGHAO"}},
	{Under: "/api/", Prefix: "/gateway/zwfw", Words: map[string]string{"personName": "姓名", "idNo": "身份证号", "idNoMask": "脱敏身份证号", "phone": "手机号", "bankCard": "银行卡号", "village": "村社区", "amount": "补贴金额",
		"pupilName": "学生姓名", "parentName": "家长姓名", "parentPhone": "家长手机号", "caseNo": "办件编号", "itemName": "事项名称", "applyTime": "申请时间", "stage": "当前环节", "certName": "证照名称", "holderName": "持证人姓名",
		"holderIdNo": "持证人身份证号", "holderPhone": "持证人手机号", "applicantName": "申请人姓名", "applicantPhone": "申请人手机号", "applicantIdNo": "申请人身份证号", "unit": "参保单位", "balance": "账户余额"}},
}
