
ÿ
google/protobuf/timestamp.protogoogle.protobuf";
	Timestamp
seconds (Rseconds
nanos (RnanosB…
com.google.protobufBTimestampProtoPZ2google.golang.org/protobuf/types/known/timestamppbø¢GPBªGoogle.Protobuf.WellKnownTypesbproto3
œ

shop.protoshop.v1google/protobuf/timestamp.proto"9
FindRequest
keyword (	Rkeyword
ids (Rids"u
Customer
	real_name (	RrealName
mobile (	Rmobile4
created (2.google.protobuf.TimestampRcreated"<
	FindReply/
	customers (2.shop.v1.CustomerR	customers"G
LoginRequest
	user_name (	RuserName
password (	Rpassword"/

LoginReply!
access_token (	RaccessToken2r
	Customers0
Find.shop.v1.FindRequest.shop.v1.FindReply3
Login.shop.v1.LoginRequest.shop.v1.LoginReplybproto3