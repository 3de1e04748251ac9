# SPDX-License-Identifier: Apache-2.0
"""Values with which somebody would try to get more out of a server than an identity, as (field, bytes). Each has to be refused."""

COMMANDS = ["id", "reboot", "touch /tmp/pep", "cat /etc/passwd", "curl 127.0.0.1", "nc -e sh 127.0.0.1 1"]
SHELL = (["%s%s" % (sep, c) for sep in (";", "|", "||", "&", "&&", "\n", "`", "$(", "${IFS}", ">", "<", "#", "!", "*", "~", "\\", "\"", "{", "[", "^", "%")
          for c in COMMANDS[:4]] + ["$(%s)" % c for c in COMMANDS] + ["`%s`" % c for c in COMMANDS] + ["GW-1;%s" % c for c in COMMANDS] +
         ["GW-1\t%s" % c for c in COMMANDS] + ["() { :;}; %s" % c for c in COMMANDS])
SQL = ["1; DROP TABLE identity", "x\"; DELETE FROM identity; --", "' OR 1=1; --", "\" OR \"\"=\"", "1 UNION SELECT * FROM identity", "\\' OR 1=1 #",
       "x' AND sleep(9) AND '1'='1'#", "1;SELECT pg_sleep(9)", "$$;SELECT 1;$$", "E'\\x27'", "x%' OR serial LIKE '%", "*", "x'; ATTACH DATABASE '/tmp/x' AS x; --",
       "@@version", "x[0]", "CHAR(39)+\"x\"", "\x1a", "x/**/OR/**/1", "1'||(SELECT serial FROM identity)||'", "x;PRAGMA journal_mode"]
MONGO = ["{\"$ne\": null}", "{$ne:1}", "$ne", "$gt", "$where", "[$regex]=^A", "{\"$regex\":\".*\"}", "$where: sleep(9)", "{\"$gt\":\"\"}", "a.$[]",
         "__proto__{}", "{\"$or\":[{},{}]}", "$function", "{\"_id\":{\"$exists\":true}}", "\x00$ne"]
LINES = ["GW\r\nSet-Cookie: x=1", "GW\nlevel=error msg=forged", "GW\r\n\r\nHTTP/1.1 200 OK", "GW\rX", "GW\x0bX", "GW\x0cX", "GW\x85X", "GW\u2028X",
         "GW\u2029X", "GW\nts=2026-01-01", "\n", "\r\n", "GW\x08\x08", "GW\x1b[2J", "GW\x1b]0;x\x07", "GW\x7f", "GW\x9b31m"]
CONTROL = [chr(c) for c in range(1, 32)] + ["GW" + chr(c) + "1" for c in range(1, 32)]
NUL = ["\x00", "GW\x00", "\x00GW", "GW-1\x00.key", "GW\x00;id", "..\x00/x"]
TRAVERSAL = ["..\\..\\windows", "%2e%2e%2f", "..%00/", "file:///etc/passwd\x00", "\\\\host\\share", "..\\", "C:\\x", "~root/.ssh", "/proc/self/environ#", "..;/"]
UNICODE = ["GW\u202e1", "\ufeffGW", "GW\u200b", "\u212aGW", "\uff1b\uff49\uff44", "GW\u0301", "\u0000\u0301", "ＧＷ", "GW\U0001f4a3", "\u2044etc", "GW\u00a0", "\u037e"]
FORMATS = ["%n%n%n", "%s%s%s", "%x", "{0}", "${jndi:ldap://127.0.0.1/x}", "{{7*7}}", "<%= 7 %>", "#{7}", "${7*7}", "<script>alert(1)</script>", "<img src=x>",
           "\"><svg onload=x>", "<!--#exec cmd=\"id\"-->", "<?xml version=\"1.0\"?>", "<!ENTITY x SYSTEM \"file:///etc/passwd\">", "*)(uid=*", "@SUM(1)",
           "|cmd' /C calc'!A0"]
SPACE = [" GW", "GW ", " ", "  ", "\tGW", "GW\t", "\u3000"]
LONG = ["A" * 65, "A" * 128, "A" * 1000, "A" * 2000, "é" * 33, "=" * 65]
BYTES = [b"\xff", b"\xc0\xaf", b"GW\xc0\x80", b"\xed\xa0\x80", b"\xf5\x80\x80\x80", b"\x80", b"\xe2\x82", b"GW\xfe\xff", b"\xc1\x81", b"\xf0\x80\x80\xaf"]
TEXTS = SHELL + SQL + MONGO + LINES + CONTROL + NUL + TRAVERSAL + UNICODE + FORMATS + SPACE + LONG

ADDRESSES = [
    # not an address, or not the one way to write one
    "localhost", "gateway.local", "127.1", "127.0.1", "2130706433", "0x7f000001", "0x7f.0.0.1", "0177.0.0.1", "017700000001", "127.0.0.01", "127.0.0.001",
    "0127.0.0.1", "127.0.0.1.", ".127.0.0.1", "127..0.1", "127.0.0.256", "127.0.0.-1", "127.0.0.1:80", "127.0.0.1/32", "127.0.0.1 ", " 127.0.0.1", "127.0.0.1%00",
    "127.0.0.1\n", "127.0.0.1;id", "127.0.0.1|id", "$(id)", "127.0.0.1 -oProxyCommand=id", "http://127.0.0.1", "//127.0.0.1", "user@127.0.0.1", "127.0.0.1#", "127.0.0.1?",
    "１２７.0.0.1", "127。0。0。1", "①②⑦.0.0.1", "[::1]", "::1%lo", "fe80::1%eth0", "::1/128", "0:0:0:0:0:0:0:1:1", ":::1", "::g", "1::2::3", "::ffff:127.0.0.1.1",
    "::ffff:0x7f.0.0.1", "::ffff:127.1", "127.0.0.1,127.0.0.2", "*", "any", "0", "-1", "1e3", "null", "undefined", "NaN", "{\"$ne\":1}", "127.0.0.1\x00", "../127.0.0.1",
    # an address of no single host, of a link, or of another network than the line's
    "0.0.0.0", "0.0.0.1", "0.255.255.255", "224.0.0.1", "239.255.255.250", "240.0.0.1", "255.255.255.255", "169.254.169.254", "169.254.0.1", "100.100.100.200",
    "10.0.0.1", "172.16.0.1", "192.168.0.1", "8.8.8.8", "192.0.2.1", "198.18.0.1", "::", "fe80::1", "febf::1", "ff02::1", "ff05::1", "ff0e::1", "fd00:ec2::254", "fec0::1",
    "2001:db8::1", "64:ff9b::7f00:1", "64:ff9b::a9fe:a9fe", "::127.0.0.1", "::7f00:1", "2002:7f00:1::", "2001::1", "::ffff:169.254.169.254", "::ffff:10.0.0.1",
    "::ffff:0.0.0.0", "::ffff:255.255.255.255", "::ffff:a9fe:a9fe", "0:0:0:0:0:ffff:8.8.8.8", "::ffff:0:127.0.0.1",
]
PORTS = ["0", "00", "-1", "+80", "65536", "99999", "4294967376", "18446744073709551696", "080", "0x50", "0120", "80.0", "8e1", " 80", "80 ", "80\n", "80;id", "80|id", "$(id)",
         "80\x00", "http", "*", "80,81", "80-90", "8０", "٨٠", "null", "true", "{\"$gt\":0}", "١", "1_000", "--help", "-p", "NaN", "1" * 40, "22", "443", "1023"]
URLS = ["javascript:alert(1)", "file:///etc/passwd", "gopher://127.0.0.1", "//x", "http://", "https://", "http:///x", "HTTP:/x", "ftp://x", "data:text/html,x", "http://x\r\nHost: y",
        "http://x y", "http://x\"", "http://x`id`", "http://x<y>", "http://x\\y", "http://x{y}", "http://x|y", "http://x^y", "https://" + "a" * 250, "http://x\x00", "http:x", "https//x", "x"]
NUMBERS = ["1,2,3,4,5", "1,2,3,4,5,6,7", "256,0,0,0,0,0", "-1,0,0,0,0,0", "1,2,3,4,5,x", "00,1,2,3,4,5", "1, 2,3,4,5,6", "0x1,2,3,4,5,6", "1;2;3;4;5;6", ",,,,,", "1,2,3,4,5,6,",
           "a:b:c:d:e:f", "1,2,3,4,5,$(id)", "1,2,3,4,5,6\n"]
# For free text only what is not printable, or too long, is wrong: it is never more than text.
PRINTABLE_ONLY = LINES[:6] + LINES[12:] + CONTROL + NUL + ["A" * 129, "A" * 257, "A" * 2000]


def corpus():
    """(field, bytes) of each value, no two alike."""
    found = [("serialNumber", text) for text in TEXTS + BYTES] + [("ip", text) for text in ADDRESSES + BYTES] + [("port", text) for text in PORTS + BYTES]
    for field in ("apiAddress", "gatewayServicesAddress"):
        found += [(field, text) for text in URLS + BYTES]
    for field in ("ethernetMAC",):
        found += [(field, text) for text in NUMBERS]
    for field in ("hardwareVersion", "category", "OU", "deviceID"):
        found += [(field, text) for text in PRINTABLE_ONLY[:40] + BYTES if field in ("hardwareVersion", "category") or len(text) != 0]
    found += [("verificationKey", text) for text in PRINTABLE_ONLY if text != "A" * 129]
    for name in ("_id", "createdAt", "enrollmentID", "deployed", "serialNumber[$ne]", "serialNumber.x", "$where", "__proto__", "constructor", "SerialNumber", "serialnumber", "ip[]"):
        found.append((name, "1"))
    seen = {}
    for field, value in found:
        seen[(field, value if isinstance(value, bytes) else value.encode("utf-8", "surrogatepass"))] = True
    return list(seen)


# Within ASN.1's PrintableString, which is what a serial number may be: text and nothing else, whoever it looks like.
STAY_TEXT = ["' OR '1'='1", "../../etc/passwd", "/etc/passwd", "-rf", "--help", "=1+1", "+1", "undefined", "null", "1-1", "a,b,c", "x?y=z", "(id)", "true", "0", "00", "1e9", "NaN",
             "http://127.0.0.1/", "GW.1", "...", "a'b", "''", "')", "1,1,1", "SELECT 1", "x:y", "/", "-", "+"]
