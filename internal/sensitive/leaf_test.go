package sensitive

import (
	"strings"
	"testing"

	"xiezhi/internal/taxonomy"
)

func TestLeafByKey(t *testing.T) {
	const none = taxonomy.NotSensitive
	masked := map[string]bool{}
	for _, c := range []struct {
		key, value string
		want       taxonomy.Sensitive
	}{
		{"password", "hunter2", taxonomy.SensPassword}, {"password", "123456", taxonomy.SensPassword}, {"password", "pass word", taxonomy.SensPassword},
		{"password", "password", taxonomy.SensPassword}, {"password", "", none}, {"password", "***", none}, {"password", "******", none}, {"password", "null", none},
		{"password", "true", none}, {"password", "${DB_PASS}", none}, {"password", "{{password}}", none}, {"password", "密码不能为空", none}, {"password", "This field is required.", none},
		{"password", "Please enter the password of your account", none}, {"pwd", "e10adc3949ba59abbe56e057f20f883e", taxonomy.SensPassword},
		{"smsCode", "4821", taxonomy.SensVerificationCode}, {"smsCode", "482193", taxonomy.SensVerificationCode}, {"captcha", "a8Xk", taxonomy.SensVerificationCode},
		{"smsCode", "expired", none}, {"captcha", "true", none}, {"code", "482193", none},
		{"token", "743b294a-cd03-11ec-9d64-0242ac120002", taxonomy.SensAccessToken}, {"Authorization", "Bearer abcDEF123456", taxonomy.SensAccessToken},
		{"token", "invalid", none}, {"token", "", none}, {"token", "none", none}, {"token", "required", none}, {"token", "2024-01-02T10:20:30Z", none}, {"token", "https://a.b/c?d=1", none},
		{"apiKey", "9f86d081884c7d65", taxonomy.SensSecretKey}, {"apiKey", "YOUR_API_KEY", none}, {"apiKey", "<key>", none}, {"apiKey", "xxxxxxxxxxxxxxxx", none},
		{"sessionId", "5d41402abc4b2a76b9719d911017c592", taxonomy.SensSessionID}, {"session", "active", none},
		{"realName", "张三", taxonomy.SensPersonName}, {"realName", "欧阳修远", taxonomy.SensPersonName}, {"realName", "买买提·艾合买提", taxonomy.SensPersonName}, {"realName", "李小路", taxonomy.SensPersonName},
		{"realName", "John Smith", taxonomy.SensPersonName}, {"realName", "Vincent van Gogh", taxonomy.SensPersonName}, {"realName", "true", none}, {"realName", "null", none},
		{"realName", "未知", none}, {"realName", "admin", none}, {"realName", "Please enter your name", none}, {"realName", "The name is not valid", none}, {"realName", "12345", none},
		{"user.name", "王小明", taxonomy.SensPersonName}, {"product.name", "王小明", none}, {"name", "王小明", taxonomy.SensPersonName}, {"name", "西湖区", none}, {"name", "苹果手机", none}, {"name", "Main Street", none},
		{"name", "高新区", none}, {"name", "13812345678", taxonomy.SensCNMobile},
		{"realName", "张*", taxonomy.SensPersonName}, {"realName", "*三", taxonomy.SensPersonName}, {"realName", "王先生", taxonomy.SensPersonName},
		{"address", "浙江省杭州市西湖区文三路100号", taxonomy.SensAddress}, {"address", "北京市", none}, {"address", "221B Baker Street, London", taxonomy.SensAddress},
		{"address", "0x52908400098527886E0F7030069857D2E4169EE7", none}, {"ipAddress", "浙江省", none},
		{"phone", "13812345678", taxonomy.SensCNMobile}, {"phone", "+86 138 1234 5678", taxonomy.SensCNMobile}, {"phone", "16012345678", taxonomy.SensCNMobile}, {"phone", "138****5678", taxonomy.SensCNMobile},
		{"phone", "true", none}, {"phone", "iPhone 15 Pro", none}, {"tel", "01062345678", taxonomy.SensPhone}, {"tel", "+1 415 555 2671", taxonomy.SensPhone}, {"tel", "6234567", taxonomy.SensPhone},
		{"idCard", "110101199003077475", taxonomy.SensCNResidentID}, {"idCard", "11010119900307747x", none}, {"idCard", "330106********1234", taxonomy.SensCNResidentID}, {"idCard", "110101900307747", none},
		{"certNo", "E12345678", taxonomy.SensPassport}, {"certNo", "H12345678", taxonomy.SensHKMacauPermit}, {"passportNo", "AB123456", taxonomy.SensPassport}, {"passportNo", "12345678", none},
		{"bankCardNo", "6222021234567890", none}, {"bankCardNo", "4111 1111 1111 1111", taxonomy.SensBankCard}, {"cardNo", "88001234", none},
		{"creditCode", "91310000552936878J", taxonomy.SensCNUSCC}, {"creditCode", "91310000552936878K", none},
		{"plateNo", "京A·12345", taxonomy.SensPlateNumber}, {"plateNo", "沪AD12345", taxonomy.SensPlateNumber}, {"plateNo", "使014578", taxonomy.SensPlateNumber}, {"plateNo", "WJ京12345", taxonomy.SensPlateNumber}, {"plateNo", "京O1234警", taxonomy.SensPlateNumber}, {"plateNo", "蓝色", none},
		{"username", "alice01", taxonomy.SensAccountName}, {"username", "true", none}, {"username", "alice@example.com", taxonomy.SensEmail}, {"username", "用户名不能为空。", taxonomy.SensAccountName},
		{"birthday", "1990-01-02", taxonomy.SensBirthDate}, {"birthday", "19900102", taxonomy.SensBirthDate}, {"birthday", "1990年1月2日", taxonomy.SensBirthDate}, {"birthday", "02/01/1990", taxonomy.SensBirthDate}, {"birthday", "1990-13-40", none}, {"birthday", "soon", none},
		{"lat", "39.908722", taxonomy.SensLocation}, {"location", "39.908722,116.397499", taxonomy.SensLocation}, {"location", "/login", none}, {"lat", "12", none},
		{"clientIp", "8.8.8.8", taxonomy.SensIPAddress}, {"clientIp", "10.0.0.1", none}, {"clientIp", "2001:db8::1", taxonomy.SensIPAddress}, {"ip", "1.2.3", none}, {"version", "8.8.8.8", none},
		{"deviceId", "a1b2c3d4e5f6", taxonomy.SensDeviceID}, {"imei", "490154203237518", taxonomy.SensIMEI}, {"imei", "490154203237519", none}, {"mac", "00:1A:2b:3c:4D:5e", taxonomy.SensMACAddress}, {"mac", "00:00:00:00:00:00", none},
		{"diagnosis", "高血压", taxonomy.SensMedicalRecord}, {"diagnosis", "1", none}, {"childName", "王小明", taxonomy.SensMinorInfo}, {"openid", "oX1a2b3c4d5e6f", taxonomy.SensPseudonymousID},
		{"ssn", "078-05-1120", taxonomy.SensSocialSecurityNo}, {"军官证号", "南字第12345678号", taxonomy.SensMilitaryID}, {"email", "t***@qq.com", taxonomy.SensEmail}, {"email", "none", none},
		{"remark", "password=hunter2 ok", taxonomy.SensPassword}, {"remark", "联系13812345678", taxonomy.SensCNMobile}, {"remark", "密码：abc123", taxonomy.SensPassword}, {"remark", "please reset your password: click here", none},
	} {
		hits := Leaf(HintOf(c.key), []byte(c.value), nil)
		got := none
		if len(hits) > 0 {
			got = hits[0].Type
			masked[c.key+"="+c.value] = hits[0].Masked
			if hits[0].Confidence < 50 {
				t.Errorf("%s = %q has confidence %d", c.key, c.value, hits[0].Confidence)
			}
		}
		if got != c.want || len(hits) > 1 {
			t.Errorf("%s = %q (%v) gives %v, want %v", c.key, c.value, HintOf(c.key), hits, c.want)
		}
	}
	for _, s := range []string{"realName=张*", "realName=王先生", "phone=138****5678", "idCard=330106********1234", "email=t***@qq.com"} {
		if !masked[s] {
			t.Errorf("%s is not marked as masked", s)
		}
	}
}

func TestKeyRaisesConfidence(t *testing.T) {
	v := []byte("6222020200112230007")
	for c := byte('0'); c <= '9' && !luhn(v); c++ {
		v[len(v)-1] = c
	}
	bare, keyed := Leaf(HintNone, v, nil), Leaf(HintBankCard, v, nil)
	if len(bare) != 1 || len(keyed) != 1 || bare[0].Confidence >= keyed[0].Confidence {
		t.Errorf("bare %v, with key %v", bare, keyed)
	}
}

func TestScanText(t *testing.T) {
	for text, want := range map[string]string{
		`password = "s3cr3t!"`:                                            "s3cr3t!",
		`spring.datasource.password=abc123`:                               "abc123",
		`{"password":"hunter"}`:                                           "hunter",
		`{\"password\":\"hunter\"}`:                                       "hunter",
		`user=bob&password=hunter&x=1`:                                    "hunter",
		`db_password: "pa55"`:                                             "pa55",
		`API_KEY=9f86d081884c7d659a2f`:                                    "9f86d081884c7d659a2f",
		`config['secret'] = '9f86d081884c7d65'`:                           "9f86d081884c7d65",
		`Authorization: Bearer abcDEF123456`:                              "abcDEF123456",
		`密码：abc123，请妥善保管`:                                                 "abc123",
		`AccountKey=lJzRc1YdHaAA2KCNJJ1tkYwF/+mKK==;x`:                    "lJzRc1YdHaAA2KCNJJ1tkYwF/+mKK==",
		`postgres://app:s3cr3t@db.internal:5432/x`:                        "s3cr3t",
		`secret := "9f86d081884c7d65"`:                                    "9f86d081884c7d65",
		`姓名：张三丰，男`:                                                        "张三丰",
		`//host.example/:_authToken=743b294a-cd03-11ec-9d64-0242ac120002`: "743b294a-cd03-11ec-9d64-0242ac120002",
		`https://oapi.dingtalk.com/robot/send?access_token=` + strings.Repeat("ab12", 16): strings.Repeat("ab12", 16),
	} {
		hits := ScanText([]byte(text), nil)
		if len(hits) != 1 || text[hits[0].Start:hits[0].End] != want {
			t.Errorf("%q gives %v, want %q", text, hits, want)
		}
	}
	for _, text := range []string{
		`password: e.target.value`, `token = getToken();`, `if (password == "") {`, `password: "Password"`, `label password: 请输入密码`, `<input type="password" name="password">`,
		`this.password=t.password;`, `var token=e.token,`, `password: string`, `function login(password) {`, `const secret = process.env.SECRET;`, `{"password":null}`, `{"token":""}`,
		`the token: see the manual`, `password_min_length = 8`, `key = value`, `12:30:45`, `https://example.com:8080/a`, `name = address`, `phone = "iPhone 15"`, `"username": {`,
	} {
		if hits := ScanText([]byte(text), nil); len(hits) > 0 {
			t.Errorf("%q gives %v (%q), want nothing", text, hits, text[hits[0].Start:hits[0].End])
		}
	}
}

func TestMasked(t *testing.T) {
	for _, s := range []string{"138****1234", "张*", "*三", "张*丰", "****", "3301***********12", "•••• 1234", "138xxxx1234", "a***@qq.com", "＊＊＊", "北京市***"} {
		if !Masked([]byte(s)) {
			t.Errorf("%q is masked", s)
		}
	}
	for _, s := range []string{"", "*", "13812345678", "a*b", "2 * 3", "x", "xxx", "**bold** text in a long line of Markdown", "0x1234", "张三", "Alexander"} {
		if Masked([]byte(s)) {
			t.Errorf("%q is not masked", s)
		}
	}
}

func TestCanonical(t *testing.T) {
	for _, c := range []struct {
		kind     taxonomy.Sensitive
		in, want string
	}{
		{taxonomy.SensCNMobile, "+86 138-1234-5678", "13812345678"}, {taxonomy.SensCNMobile, "008613812345678", "13812345678"}, {taxonomy.SensCNMobile, "8613812345678", "13812345678"},
		{taxonomy.SensCNMobile, "13812345678", "13812345678"}, {taxonomy.SensPhone, "010-1234 5678", "01012345678"}, {taxonomy.SensPhone, "+86 10 12345678", "01012345678"}, {taxonomy.SensPhone, "+1 (415) 555-2671", "+14155552671"},
		{taxonomy.SensCNResidentID, " 1101 0119 9003 0774 7x", "11010119900307747X"}, {taxonomy.SensBankCard, "4111-1111 1111 1111", "4111111111111111"},
		{taxonomy.SensEmail, " Bob@Example.COM ", "bob@example.com"}, {taxonomy.SensPlateNumber, "京a·12345", "京A12345"}, {taxonomy.SensMACAddress, "00-1A-2B-3C-4D-5E", "001a2b3c4d5e"},
		{taxonomy.SensPersonName, " 张 三 ", "张三"}, {taxonomy.SensPersonName, "John  Smith", "John Smith"}, {taxonomy.SensPassword, "a b", "a b"},
	} {
		if got := string(Canonical(nil, c.kind, []byte(c.in))); got != c.want {
			t.Errorf("Canonical(%v, %q) = %q, want %q", c.kind, c.in, got, c.want)
		}
	}
}

func TestSet(t *testing.T) {
	for _, c := range []struct {
		kind        taxonomy.Sensitive
		in, prefix  string
		position    uint16
		unallocated bool
	}{
		{taxonomy.SensCNMobile, "13812345678", "1381234", 5678, false}, {taxonomy.SensCNMobile, "16012345678", "1601234", 5678, true},
		{taxonomy.SensCNResidentID, "110101199003077475", "11010119900307", 747, false}, {taxonomy.SensCNResidentID, "110101199003077474", "11010119900307", 747, true},
		{taxonomy.SensBankCard, "4111111111111111", "41111111111", 1111, false}, {taxonomy.SensPlateNumber, "京A12345", "京A123", 4*36 + 5, false}, {taxonomy.SensPlateNumber, "京A123I5", "京A123", 18*36 + 5, true},
		{taxonomy.SensPassport, "E12345678", "E12345", 678, false},
	} {
		prefix, position, unallocated, ok := Set(c.kind, []byte(c.in))
		if !ok || string(prefix) != c.prefix || position != c.position || unallocated != c.unallocated {
			t.Errorf("Set(%v, %s) = %s %d %v %v", c.kind, c.in, prefix, position, unallocated, ok)
		}
	}
	if _, _, _, ok := Set(taxonomy.SensEmail, []byte("a@b.cn")); ok {
		t.Error("an e-mail address is not enumerable")
	}
}
