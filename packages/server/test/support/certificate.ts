/**
 * A certificate for localhost and 127.0.0.1 that signs itself, good until 2126, and its key. Made by
 * `openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:prime256v1 -nodes -days 36500 -subj /CN=localhost`
 * with `-addext subjectAltName=DNS:localhost,IP:127.0.0.1`. It protects nothing.
 */
export const certificate = {
  cert: Buffer.from(`-----BEGIN CERTIFICATE-----
MIIBmjCCAUGgAwIBAgIUHkSgxT8v/7d7k5V/nKaVvLXv+1MwCgYIKoZIzj0EAwIw
FDESMBAGA1UEAwwJbG9jYWxob3N0MCAXDTI2MTEyNzA2Mjc1M1oYDzIxMjYxMTAz
MDYyNzUzWjAUMRIwEAYDVQQDDAlsb2NhbGhvc3QwWTATBgcqhkjOPQIBBggqhkjO
PQMBBwNCAAQglNSu69BB1fBLRGmO0CetyucjKTM7Xv9keYmce6MhllkWKNRvpaUn
aWXW9ui+e/gnbcjJK+u744aPNjkjo441o28wbTAdBgNVHQ4EFgQUER0muDybnFGD
kNIoLG0x6Ps2BCkwHwYDVR0jBBgwFoAUER0muDybnFGDkNIoLG0x6Ps2BCkwDwYD
VR0TAQH/BAUwAwEB/zAaBgNVHREEEzARgglsb2NhbGhvc3SHBH8AAAEwCgYIKoZI
zj0EAwIDRwAwRAIgBoSBE5UWkfr0XHUBa5gFSkCzBeworhpLxIgRGQ3SLLQCIH19
0Dep1PM4124AvGTqWFcWONFRwjcObDRrKisCyY9n
-----END CERTIFICATE-----
`),
  key: Buffer.from(`-----BEGIN PRIVATE KEY-----
MIGHAgEAMBMGByqGSM49AgEGCCqGSM49AwEHBG0wawIBAQQgjMRDXBJAlCrLZz/M
werqdlyf3SieU34hzbVoh6xYEnqhRANCAAQglNSu69BB1fBLRGmO0CetyucjKTM7
Xv9keYmce6MhllkWKNRvpaUnaWXW9ui+e/gnbcjJK+u744aPNjkjo441
-----END PRIVATE KEY-----
`),
}
