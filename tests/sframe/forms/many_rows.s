# Three hundred rows.
#= 0: CFA = rsp+8, RA = *(CFA-8)
#= 1: CFA = rsp+16, RA = *(CFA-8)
#= 2: CFA = rsp+24, RA = *(CFA-8)
#= 3: CFA = rsp+32, RA = *(CFA-8)
#= 4: CFA = rsp+40, RA = *(CFA-8)
#= 5: CFA = rsp+48, RA = *(CFA-8)
#= 6: CFA = rsp+56, RA = *(CFA-8)
#= 7: CFA = rsp+64, RA = *(CFA-8)
#= 8: CFA = rsp+72, RA = *(CFA-8)
#= 9: CFA = rsp+80, RA = *(CFA-8)
#= 10: CFA = rsp+88, RA = *(CFA-8)
#= 11: CFA = rsp+96, RA = *(CFA-8)
#= 12: CFA = rsp+104, RA = *(CFA-8)
#= 13: CFA = rsp+112, RA = *(CFA-8)
#= 14: CFA = rsp+120, RA = *(CFA-8)
#= 15: CFA = rsp+128, RA = *(CFA-8)
#= 16: CFA = rsp+136, RA = *(CFA-8)
#= 17: CFA = rsp+144, RA = *(CFA-8)
#= 18: CFA = rsp+152, RA = *(CFA-8)
#= 19: CFA = rsp+160, RA = *(CFA-8)
#= 20: CFA = rsp+168, RA = *(CFA-8)
#= 21: CFA = rsp+176, RA = *(CFA-8)
#= 22: CFA = rsp+184, RA = *(CFA-8)
#= 23: CFA = rsp+192, RA = *(CFA-8)
#= 24: CFA = rsp+200, RA = *(CFA-8)
#= 25: CFA = rsp+208, RA = *(CFA-8)
#= 26: CFA = rsp+216, RA = *(CFA-8)
#= 27: CFA = rsp+224, RA = *(CFA-8)
#= 28: CFA = rsp+232, RA = *(CFA-8)
#= 29: CFA = rsp+240, RA = *(CFA-8)
#= 30: CFA = rsp+248, RA = *(CFA-8)
#= 31: CFA = rsp+256, RA = *(CFA-8)
#= 32: CFA = rsp+264, RA = *(CFA-8)
#= 33: CFA = rsp+272, RA = *(CFA-8)
#= 34: CFA = rsp+280, RA = *(CFA-8)
#= 35: CFA = rsp+288, RA = *(CFA-8)
#= 36: CFA = rsp+296, RA = *(CFA-8)
#= 37: CFA = rsp+304, RA = *(CFA-8)
#= 38: CFA = rsp+312, RA = *(CFA-8)
#= 39: CFA = rsp+320, RA = *(CFA-8)
#= 40: CFA = rsp+328, RA = *(CFA-8)
#= 41: CFA = rsp+336, RA = *(CFA-8)
#= 42: CFA = rsp+344, RA = *(CFA-8)
#= 43: CFA = rsp+352, RA = *(CFA-8)
#= 44: CFA = rsp+360, RA = *(CFA-8)
#= 45: CFA = rsp+368, RA = *(CFA-8)
#= 46: CFA = rsp+376, RA = *(CFA-8)
#= 47: CFA = rsp+384, RA = *(CFA-8)
#= 48: CFA = rsp+392, RA = *(CFA-8)
#= 49: CFA = rsp+400, RA = *(CFA-8)
#= 50: CFA = rsp+408, RA = *(CFA-8)
#= 51: CFA = rsp+416, RA = *(CFA-8)
#= 52: CFA = rsp+424, RA = *(CFA-8)
#= 53: CFA = rsp+432, RA = *(CFA-8)
#= 54: CFA = rsp+440, RA = *(CFA-8)
#= 55: CFA = rsp+448, RA = *(CFA-8)
#= 56: CFA = rsp+456, RA = *(CFA-8)
#= 57: CFA = rsp+464, RA = *(CFA-8)
#= 58: CFA = rsp+472, RA = *(CFA-8)
#= 59: CFA = rsp+480, RA = *(CFA-8)
#= 60: CFA = rsp+488, RA = *(CFA-8)
#= 61: CFA = rsp+496, RA = *(CFA-8)
#= 62: CFA = rsp+504, RA = *(CFA-8)
#= 63: CFA = rsp+512, RA = *(CFA-8)
#= 64: CFA = rsp+520, RA = *(CFA-8)
#= 65: CFA = rsp+528, RA = *(CFA-8)
#= 66: CFA = rsp+536, RA = *(CFA-8)
#= 67: CFA = rsp+544, RA = *(CFA-8)
#= 68: CFA = rsp+552, RA = *(CFA-8)
#= 69: CFA = rsp+560, RA = *(CFA-8)
#= 70: CFA = rsp+568, RA = *(CFA-8)
#= 71: CFA = rsp+576, RA = *(CFA-8)
#= 72: CFA = rsp+584, RA = *(CFA-8)
#= 73: CFA = rsp+592, RA = *(CFA-8)
#= 74: CFA = rsp+600, RA = *(CFA-8)
#= 75: CFA = rsp+608, RA = *(CFA-8)
#= 76: CFA = rsp+616, RA = *(CFA-8)
#= 77: CFA = rsp+624, RA = *(CFA-8)
#= 78: CFA = rsp+632, RA = *(CFA-8)
#= 79: CFA = rsp+640, RA = *(CFA-8)
#= 80: CFA = rsp+648, RA = *(CFA-8)
#= 81: CFA = rsp+656, RA = *(CFA-8)
#= 82: CFA = rsp+664, RA = *(CFA-8)
#= 83: CFA = rsp+672, RA = *(CFA-8)
#= 84: CFA = rsp+680, RA = *(CFA-8)
#= 85: CFA = rsp+688, RA = *(CFA-8)
#= 86: CFA = rsp+696, RA = *(CFA-8)
#= 87: CFA = rsp+704, RA = *(CFA-8)
#= 88: CFA = rsp+712, RA = *(CFA-8)
#= 89: CFA = rsp+720, RA = *(CFA-8)
#= 90: CFA = rsp+728, RA = *(CFA-8)
#= 91: CFA = rsp+736, RA = *(CFA-8)
#= 92: CFA = rsp+744, RA = *(CFA-8)
#= 93: CFA = rsp+752, RA = *(CFA-8)
#= 94: CFA = rsp+760, RA = *(CFA-8)
#= 95: CFA = rsp+768, RA = *(CFA-8)
#= 96: CFA = rsp+776, RA = *(CFA-8)
#= 97: CFA = rsp+784, RA = *(CFA-8)
#= 98: CFA = rsp+792, RA = *(CFA-8)
#= 99: CFA = rsp+800, RA = *(CFA-8)
#= 100: CFA = rsp+808, RA = *(CFA-8)
#= 101: CFA = rsp+816, RA = *(CFA-8)
#= 102: CFA = rsp+824, RA = *(CFA-8)
#= 103: CFA = rsp+832, RA = *(CFA-8)
#= 104: CFA = rsp+840, RA = *(CFA-8)
#= 105: CFA = rsp+848, RA = *(CFA-8)
#= 106: CFA = rsp+856, RA = *(CFA-8)
#= 107: CFA = rsp+864, RA = *(CFA-8)
#= 108: CFA = rsp+872, RA = *(CFA-8)
#= 109: CFA = rsp+880, RA = *(CFA-8)
#= 110: CFA = rsp+888, RA = *(CFA-8)
#= 111: CFA = rsp+896, RA = *(CFA-8)
#= 112: CFA = rsp+904, RA = *(CFA-8)
#= 113: CFA = rsp+912, RA = *(CFA-8)
#= 114: CFA = rsp+920, RA = *(CFA-8)
#= 115: CFA = rsp+928, RA = *(CFA-8)
#= 116: CFA = rsp+936, RA = *(CFA-8)
#= 117: CFA = rsp+944, RA = *(CFA-8)
#= 118: CFA = rsp+952, RA = *(CFA-8)
#= 119: CFA = rsp+960, RA = *(CFA-8)
#= 120: CFA = rsp+968, RA = *(CFA-8)
#= 121: CFA = rsp+976, RA = *(CFA-8)
#= 122: CFA = rsp+984, RA = *(CFA-8)
#= 123: CFA = rsp+992, RA = *(CFA-8)
#= 124: CFA = rsp+1000, RA = *(CFA-8)
#= 125: CFA = rsp+1008, RA = *(CFA-8)
#= 126: CFA = rsp+1016, RA = *(CFA-8)
#= 127: CFA = rsp+1024, RA = *(CFA-8)
#= 128: CFA = rsp+1032, RA = *(CFA-8)
#= 129: CFA = rsp+1040, RA = *(CFA-8)
#= 130: CFA = rsp+1048, RA = *(CFA-8)
#= 131: CFA = rsp+1056, RA = *(CFA-8)
#= 132: CFA = rsp+1064, RA = *(CFA-8)
#= 133: CFA = rsp+1072, RA = *(CFA-8)
#= 134: CFA = rsp+1080, RA = *(CFA-8)
#= 135: CFA = rsp+1088, RA = *(CFA-8)
#= 136: CFA = rsp+1096, RA = *(CFA-8)
#= 137: CFA = rsp+1104, RA = *(CFA-8)
#= 138: CFA = rsp+1112, RA = *(CFA-8)
#= 139: CFA = rsp+1120, RA = *(CFA-8)
#= 140: CFA = rsp+1128, RA = *(CFA-8)
#= 141: CFA = rsp+1136, RA = *(CFA-8)
#= 142: CFA = rsp+1144, RA = *(CFA-8)
#= 143: CFA = rsp+1152, RA = *(CFA-8)
#= 144: CFA = rsp+1160, RA = *(CFA-8)
#= 145: CFA = rsp+1168, RA = *(CFA-8)
#= 146: CFA = rsp+1176, RA = *(CFA-8)
#= 147: CFA = rsp+1184, RA = *(CFA-8)
#= 148: CFA = rsp+1192, RA = *(CFA-8)
#= 149: CFA = rsp+1200, RA = *(CFA-8)
#= 150: CFA = rsp+1208, RA = *(CFA-8)
#= 151: CFA = rsp+1216, RA = *(CFA-8)
#= 152: CFA = rsp+1224, RA = *(CFA-8)
#= 153: CFA = rsp+1232, RA = *(CFA-8)
#= 154: CFA = rsp+1240, RA = *(CFA-8)
#= 155: CFA = rsp+1248, RA = *(CFA-8)
#= 156: CFA = rsp+1256, RA = *(CFA-8)
#= 157: CFA = rsp+1264, RA = *(CFA-8)
#= 158: CFA = rsp+1272, RA = *(CFA-8)
#= 159: CFA = rsp+1280, RA = *(CFA-8)
#= 160: CFA = rsp+1288, RA = *(CFA-8)
#= 161: CFA = rsp+1296, RA = *(CFA-8)
#= 162: CFA = rsp+1304, RA = *(CFA-8)
#= 163: CFA = rsp+1312, RA = *(CFA-8)
#= 164: CFA = rsp+1320, RA = *(CFA-8)
#= 165: CFA = rsp+1328, RA = *(CFA-8)
#= 166: CFA = rsp+1336, RA = *(CFA-8)
#= 167: CFA = rsp+1344, RA = *(CFA-8)
#= 168: CFA = rsp+1352, RA = *(CFA-8)
#= 169: CFA = rsp+1360, RA = *(CFA-8)
#= 170: CFA = rsp+1368, RA = *(CFA-8)
#= 171: CFA = rsp+1376, RA = *(CFA-8)
#= 172: CFA = rsp+1384, RA = *(CFA-8)
#= 173: CFA = rsp+1392, RA = *(CFA-8)
#= 174: CFA = rsp+1400, RA = *(CFA-8)
#= 175: CFA = rsp+1408, RA = *(CFA-8)
#= 176: CFA = rsp+1416, RA = *(CFA-8)
#= 177: CFA = rsp+1424, RA = *(CFA-8)
#= 178: CFA = rsp+1432, RA = *(CFA-8)
#= 179: CFA = rsp+1440, RA = *(CFA-8)
#= 180: CFA = rsp+1448, RA = *(CFA-8)
#= 181: CFA = rsp+1456, RA = *(CFA-8)
#= 182: CFA = rsp+1464, RA = *(CFA-8)
#= 183: CFA = rsp+1472, RA = *(CFA-8)
#= 184: CFA = rsp+1480, RA = *(CFA-8)
#= 185: CFA = rsp+1488, RA = *(CFA-8)
#= 186: CFA = rsp+1496, RA = *(CFA-8)
#= 187: CFA = rsp+1504, RA = *(CFA-8)
#= 188: CFA = rsp+1512, RA = *(CFA-8)
#= 189: CFA = rsp+1520, RA = *(CFA-8)
#= 190: CFA = rsp+1528, RA = *(CFA-8)
#= 191: CFA = rsp+1536, RA = *(CFA-8)
#= 192: CFA = rsp+1544, RA = *(CFA-8)
#= 193: CFA = rsp+1552, RA = *(CFA-8)
#= 194: CFA = rsp+1560, RA = *(CFA-8)
#= 195: CFA = rsp+1568, RA = *(CFA-8)
#= 196: CFA = rsp+1576, RA = *(CFA-8)
#= 197: CFA = rsp+1584, RA = *(CFA-8)
#= 198: CFA = rsp+1592, RA = *(CFA-8)
#= 199: CFA = rsp+1600, RA = *(CFA-8)
#= 200: CFA = rsp+1608, RA = *(CFA-8)
#= 201: CFA = rsp+1616, RA = *(CFA-8)
#= 202: CFA = rsp+1624, RA = *(CFA-8)
#= 203: CFA = rsp+1632, RA = *(CFA-8)
#= 204: CFA = rsp+1640, RA = *(CFA-8)
#= 205: CFA = rsp+1648, RA = *(CFA-8)
#= 206: CFA = rsp+1656, RA = *(CFA-8)
#= 207: CFA = rsp+1664, RA = *(CFA-8)
#= 208: CFA = rsp+1672, RA = *(CFA-8)
#= 209: CFA = rsp+1680, RA = *(CFA-8)
#= 210: CFA = rsp+1688, RA = *(CFA-8)
#= 211: CFA = rsp+1696, RA = *(CFA-8)
#= 212: CFA = rsp+1704, RA = *(CFA-8)
#= 213: CFA = rsp+1712, RA = *(CFA-8)
#= 214: CFA = rsp+1720, RA = *(CFA-8)
#= 215: CFA = rsp+1728, RA = *(CFA-8)
#= 216: CFA = rsp+1736, RA = *(CFA-8)
#= 217: CFA = rsp+1744, RA = *(CFA-8)
#= 218: CFA = rsp+1752, RA = *(CFA-8)
#= 219: CFA = rsp+1760, RA = *(CFA-8)
#= 220: CFA = rsp+1768, RA = *(CFA-8)
#= 221: CFA = rsp+1776, RA = *(CFA-8)
#= 222: CFA = rsp+1784, RA = *(CFA-8)
#= 223: CFA = rsp+1792, RA = *(CFA-8)
#= 224: CFA = rsp+1800, RA = *(CFA-8)
#= 225: CFA = rsp+1808, RA = *(CFA-8)
#= 226: CFA = rsp+1816, RA = *(CFA-8)
#= 227: CFA = rsp+1824, RA = *(CFA-8)
#= 228: CFA = rsp+1832, RA = *(CFA-8)
#= 229: CFA = rsp+1840, RA = *(CFA-8)
#= 230: CFA = rsp+1848, RA = *(CFA-8)
#= 231: CFA = rsp+1856, RA = *(CFA-8)
#= 232: CFA = rsp+1864, RA = *(CFA-8)
#= 233: CFA = rsp+1872, RA = *(CFA-8)
#= 234: CFA = rsp+1880, RA = *(CFA-8)
#= 235: CFA = rsp+1888, RA = *(CFA-8)
#= 236: CFA = rsp+1896, RA = *(CFA-8)
#= 237: CFA = rsp+1904, RA = *(CFA-8)
#= 238: CFA = rsp+1912, RA = *(CFA-8)
#= 239: CFA = rsp+1920, RA = *(CFA-8)
#= 240: CFA = rsp+1928, RA = *(CFA-8)
#= 241: CFA = rsp+1936, RA = *(CFA-8)
#= 242: CFA = rsp+1944, RA = *(CFA-8)
#= 243: CFA = rsp+1952, RA = *(CFA-8)
#= 244: CFA = rsp+1960, RA = *(CFA-8)
#= 245: CFA = rsp+1968, RA = *(CFA-8)
#= 246: CFA = rsp+1976, RA = *(CFA-8)
#= 247: CFA = rsp+1984, RA = *(CFA-8)
#= 248: CFA = rsp+1992, RA = *(CFA-8)
#= 249: CFA = rsp+2000, RA = *(CFA-8)
#= 250: CFA = rsp+2008, RA = *(CFA-8)
#= 251: CFA = rsp+2016, RA = *(CFA-8)
#= 252: CFA = rsp+2024, RA = *(CFA-8)
#= 253: CFA = rsp+2032, RA = *(CFA-8)
#= 254: CFA = rsp+2040, RA = *(CFA-8)
#= 255: CFA = rsp+2048, RA = *(CFA-8)
#= 256: CFA = rsp+2056, RA = *(CFA-8)
#= 257: CFA = rsp+2064, RA = *(CFA-8)
#= 258: CFA = rsp+2072, RA = *(CFA-8)
#= 259: CFA = rsp+2080, RA = *(CFA-8)
#= 260: CFA = rsp+2088, RA = *(CFA-8)
#= 261: CFA = rsp+2096, RA = *(CFA-8)
#= 262: CFA = rsp+2104, RA = *(CFA-8)
#= 263: CFA = rsp+2112, RA = *(CFA-8)
#= 264: CFA = rsp+2120, RA = *(CFA-8)
#= 265: CFA = rsp+2128, RA = *(CFA-8)
#= 266: CFA = rsp+2136, RA = *(CFA-8)
#= 267: CFA = rsp+2144, RA = *(CFA-8)
#= 268: CFA = rsp+2152, RA = *(CFA-8)
#= 269: CFA = rsp+2160, RA = *(CFA-8)
#= 270: CFA = rsp+2168, RA = *(CFA-8)
#= 271: CFA = rsp+2176, RA = *(CFA-8)
#= 272: CFA = rsp+2184, RA = *(CFA-8)
#= 273: CFA = rsp+2192, RA = *(CFA-8)
#= 274: CFA = rsp+2200, RA = *(CFA-8)
#= 275: CFA = rsp+2208, RA = *(CFA-8)
#= 276: CFA = rsp+2216, RA = *(CFA-8)
#= 277: CFA = rsp+2224, RA = *(CFA-8)
#= 278: CFA = rsp+2232, RA = *(CFA-8)
#= 279: CFA = rsp+2240, RA = *(CFA-8)
#= 280: CFA = rsp+2248, RA = *(CFA-8)
#= 281: CFA = rsp+2256, RA = *(CFA-8)
#= 282: CFA = rsp+2264, RA = *(CFA-8)
#= 283: CFA = rsp+2272, RA = *(CFA-8)
#= 284: CFA = rsp+2280, RA = *(CFA-8)
#= 285: CFA = rsp+2288, RA = *(CFA-8)
#= 286: CFA = rsp+2296, RA = *(CFA-8)
#= 287: CFA = rsp+2304, RA = *(CFA-8)
#= 288: CFA = rsp+2312, RA = *(CFA-8)
#= 289: CFA = rsp+2320, RA = *(CFA-8)
#= 290: CFA = rsp+2328, RA = *(CFA-8)
#= 291: CFA = rsp+2336, RA = *(CFA-8)
#= 292: CFA = rsp+2344, RA = *(CFA-8)
#= 293: CFA = rsp+2352, RA = *(CFA-8)
#= 294: CFA = rsp+2360, RA = *(CFA-8)
#= 295: CFA = rsp+2368, RA = *(CFA-8)
#= 296: CFA = rsp+2376, RA = *(CFA-8)
#= 297: CFA = rsp+2384, RA = *(CFA-8)
#= 298: CFA = rsp+2392, RA = *(CFA-8)
#= 299: CFA = rsp+2400, RA = *(CFA-8)
	.text
	.globl f
	.type f, @function
f:	.cfi_startproc
	nop
	.cfi_def_cfa_offset 16
	nop
	.cfi_def_cfa_offset 24
	nop
	.cfi_def_cfa_offset 32
	nop
	.cfi_def_cfa_offset 40
	nop
	.cfi_def_cfa_offset 48
	nop
	.cfi_def_cfa_offset 56
	nop
	.cfi_def_cfa_offset 64
	nop
	.cfi_def_cfa_offset 72
	nop
	.cfi_def_cfa_offset 80
	nop
	.cfi_def_cfa_offset 88
	nop
	.cfi_def_cfa_offset 96
	nop
	.cfi_def_cfa_offset 104
	nop
	.cfi_def_cfa_offset 112
	nop
	.cfi_def_cfa_offset 120
	nop
	.cfi_def_cfa_offset 128
	nop
	.cfi_def_cfa_offset 136
	nop
	.cfi_def_cfa_offset 144
	nop
	.cfi_def_cfa_offset 152
	nop
	.cfi_def_cfa_offset 160
	nop
	.cfi_def_cfa_offset 168
	nop
	.cfi_def_cfa_offset 176
	nop
	.cfi_def_cfa_offset 184
	nop
	.cfi_def_cfa_offset 192
	nop
	.cfi_def_cfa_offset 200
	nop
	.cfi_def_cfa_offset 208
	nop
	.cfi_def_cfa_offset 216
	nop
	.cfi_def_cfa_offset 224
	nop
	.cfi_def_cfa_offset 232
	nop
	.cfi_def_cfa_offset 240
	nop
	.cfi_def_cfa_offset 248
	nop
	.cfi_def_cfa_offset 256
	nop
	.cfi_def_cfa_offset 264
	nop
	.cfi_def_cfa_offset 272
	nop
	.cfi_def_cfa_offset 280
	nop
	.cfi_def_cfa_offset 288
	nop
	.cfi_def_cfa_offset 296
	nop
	.cfi_def_cfa_offset 304
	nop
	.cfi_def_cfa_offset 312
	nop
	.cfi_def_cfa_offset 320
	nop
	.cfi_def_cfa_offset 328
	nop
	.cfi_def_cfa_offset 336
	nop
	.cfi_def_cfa_offset 344
	nop
	.cfi_def_cfa_offset 352
	nop
	.cfi_def_cfa_offset 360
	nop
	.cfi_def_cfa_offset 368
	nop
	.cfi_def_cfa_offset 376
	nop
	.cfi_def_cfa_offset 384
	nop
	.cfi_def_cfa_offset 392
	nop
	.cfi_def_cfa_offset 400
	nop
	.cfi_def_cfa_offset 408
	nop
	.cfi_def_cfa_offset 416
	nop
	.cfi_def_cfa_offset 424
	nop
	.cfi_def_cfa_offset 432
	nop
	.cfi_def_cfa_offset 440
	nop
	.cfi_def_cfa_offset 448
	nop
	.cfi_def_cfa_offset 456
	nop
	.cfi_def_cfa_offset 464
	nop
	.cfi_def_cfa_offset 472
	nop
	.cfi_def_cfa_offset 480
	nop
	.cfi_def_cfa_offset 488
	nop
	.cfi_def_cfa_offset 496
	nop
	.cfi_def_cfa_offset 504
	nop
	.cfi_def_cfa_offset 512
	nop
	.cfi_def_cfa_offset 520
	nop
	.cfi_def_cfa_offset 528
	nop
	.cfi_def_cfa_offset 536
	nop
	.cfi_def_cfa_offset 544
	nop
	.cfi_def_cfa_offset 552
	nop
	.cfi_def_cfa_offset 560
	nop
	.cfi_def_cfa_offset 568
	nop
	.cfi_def_cfa_offset 576
	nop
	.cfi_def_cfa_offset 584
	nop
	.cfi_def_cfa_offset 592
	nop
	.cfi_def_cfa_offset 600
	nop
	.cfi_def_cfa_offset 608
	nop
	.cfi_def_cfa_offset 616
	nop
	.cfi_def_cfa_offset 624
	nop
	.cfi_def_cfa_offset 632
	nop
	.cfi_def_cfa_offset 640
	nop
	.cfi_def_cfa_offset 648
	nop
	.cfi_def_cfa_offset 656
	nop
	.cfi_def_cfa_offset 664
	nop
	.cfi_def_cfa_offset 672
	nop
	.cfi_def_cfa_offset 680
	nop
	.cfi_def_cfa_offset 688
	nop
	.cfi_def_cfa_offset 696
	nop
	.cfi_def_cfa_offset 704
	nop
	.cfi_def_cfa_offset 712
	nop
	.cfi_def_cfa_offset 720
	nop
	.cfi_def_cfa_offset 728
	nop
	.cfi_def_cfa_offset 736
	nop
	.cfi_def_cfa_offset 744
	nop
	.cfi_def_cfa_offset 752
	nop
	.cfi_def_cfa_offset 760
	nop
	.cfi_def_cfa_offset 768
	nop
	.cfi_def_cfa_offset 776
	nop
	.cfi_def_cfa_offset 784
	nop
	.cfi_def_cfa_offset 792
	nop
	.cfi_def_cfa_offset 800
	nop
	.cfi_def_cfa_offset 808
	nop
	.cfi_def_cfa_offset 816
	nop
	.cfi_def_cfa_offset 824
	nop
	.cfi_def_cfa_offset 832
	nop
	.cfi_def_cfa_offset 840
	nop
	.cfi_def_cfa_offset 848
	nop
	.cfi_def_cfa_offset 856
	nop
	.cfi_def_cfa_offset 864
	nop
	.cfi_def_cfa_offset 872
	nop
	.cfi_def_cfa_offset 880
	nop
	.cfi_def_cfa_offset 888
	nop
	.cfi_def_cfa_offset 896
	nop
	.cfi_def_cfa_offset 904
	nop
	.cfi_def_cfa_offset 912
	nop
	.cfi_def_cfa_offset 920
	nop
	.cfi_def_cfa_offset 928
	nop
	.cfi_def_cfa_offset 936
	nop
	.cfi_def_cfa_offset 944
	nop
	.cfi_def_cfa_offset 952
	nop
	.cfi_def_cfa_offset 960
	nop
	.cfi_def_cfa_offset 968
	nop
	.cfi_def_cfa_offset 976
	nop
	.cfi_def_cfa_offset 984
	nop
	.cfi_def_cfa_offset 992
	nop
	.cfi_def_cfa_offset 1000
	nop
	.cfi_def_cfa_offset 1008
	nop
	.cfi_def_cfa_offset 1016
	nop
	.cfi_def_cfa_offset 1024
	nop
	.cfi_def_cfa_offset 1032
	nop
	.cfi_def_cfa_offset 1040
	nop
	.cfi_def_cfa_offset 1048
	nop
	.cfi_def_cfa_offset 1056
	nop
	.cfi_def_cfa_offset 1064
	nop
	.cfi_def_cfa_offset 1072
	nop
	.cfi_def_cfa_offset 1080
	nop
	.cfi_def_cfa_offset 1088
	nop
	.cfi_def_cfa_offset 1096
	nop
	.cfi_def_cfa_offset 1104
	nop
	.cfi_def_cfa_offset 1112
	nop
	.cfi_def_cfa_offset 1120
	nop
	.cfi_def_cfa_offset 1128
	nop
	.cfi_def_cfa_offset 1136
	nop
	.cfi_def_cfa_offset 1144
	nop
	.cfi_def_cfa_offset 1152
	nop
	.cfi_def_cfa_offset 1160
	nop
	.cfi_def_cfa_offset 1168
	nop
	.cfi_def_cfa_offset 1176
	nop
	.cfi_def_cfa_offset 1184
	nop
	.cfi_def_cfa_offset 1192
	nop
	.cfi_def_cfa_offset 1200
	nop
	.cfi_def_cfa_offset 1208
	nop
	.cfi_def_cfa_offset 1216
	nop
	.cfi_def_cfa_offset 1224
	nop
	.cfi_def_cfa_offset 1232
	nop
	.cfi_def_cfa_offset 1240
	nop
	.cfi_def_cfa_offset 1248
	nop
	.cfi_def_cfa_offset 1256
	nop
	.cfi_def_cfa_offset 1264
	nop
	.cfi_def_cfa_offset 1272
	nop
	.cfi_def_cfa_offset 1280
	nop
	.cfi_def_cfa_offset 1288
	nop
	.cfi_def_cfa_offset 1296
	nop
	.cfi_def_cfa_offset 1304
	nop
	.cfi_def_cfa_offset 1312
	nop
	.cfi_def_cfa_offset 1320
	nop
	.cfi_def_cfa_offset 1328
	nop
	.cfi_def_cfa_offset 1336
	nop
	.cfi_def_cfa_offset 1344
	nop
	.cfi_def_cfa_offset 1352
	nop
	.cfi_def_cfa_offset 1360
	nop
	.cfi_def_cfa_offset 1368
	nop
	.cfi_def_cfa_offset 1376
	nop
	.cfi_def_cfa_offset 1384
	nop
	.cfi_def_cfa_offset 1392
	nop
	.cfi_def_cfa_offset 1400
	nop
	.cfi_def_cfa_offset 1408
	nop
	.cfi_def_cfa_offset 1416
	nop
	.cfi_def_cfa_offset 1424
	nop
	.cfi_def_cfa_offset 1432
	nop
	.cfi_def_cfa_offset 1440
	nop
	.cfi_def_cfa_offset 1448
	nop
	.cfi_def_cfa_offset 1456
	nop
	.cfi_def_cfa_offset 1464
	nop
	.cfi_def_cfa_offset 1472
	nop
	.cfi_def_cfa_offset 1480
	nop
	.cfi_def_cfa_offset 1488
	nop
	.cfi_def_cfa_offset 1496
	nop
	.cfi_def_cfa_offset 1504
	nop
	.cfi_def_cfa_offset 1512
	nop
	.cfi_def_cfa_offset 1520
	nop
	.cfi_def_cfa_offset 1528
	nop
	.cfi_def_cfa_offset 1536
	nop
	.cfi_def_cfa_offset 1544
	nop
	.cfi_def_cfa_offset 1552
	nop
	.cfi_def_cfa_offset 1560
	nop
	.cfi_def_cfa_offset 1568
	nop
	.cfi_def_cfa_offset 1576
	nop
	.cfi_def_cfa_offset 1584
	nop
	.cfi_def_cfa_offset 1592
	nop
	.cfi_def_cfa_offset 1600
	nop
	.cfi_def_cfa_offset 1608
	nop
	.cfi_def_cfa_offset 1616
	nop
	.cfi_def_cfa_offset 1624
	nop
	.cfi_def_cfa_offset 1632
	nop
	.cfi_def_cfa_offset 1640
	nop
	.cfi_def_cfa_offset 1648
	nop
	.cfi_def_cfa_offset 1656
	nop
	.cfi_def_cfa_offset 1664
	nop
	.cfi_def_cfa_offset 1672
	nop
	.cfi_def_cfa_offset 1680
	nop
	.cfi_def_cfa_offset 1688
	nop
	.cfi_def_cfa_offset 1696
	nop
	.cfi_def_cfa_offset 1704
	nop
	.cfi_def_cfa_offset 1712
	nop
	.cfi_def_cfa_offset 1720
	nop
	.cfi_def_cfa_offset 1728
	nop
	.cfi_def_cfa_offset 1736
	nop
	.cfi_def_cfa_offset 1744
	nop
	.cfi_def_cfa_offset 1752
	nop
	.cfi_def_cfa_offset 1760
	nop
	.cfi_def_cfa_offset 1768
	nop
	.cfi_def_cfa_offset 1776
	nop
	.cfi_def_cfa_offset 1784
	nop
	.cfi_def_cfa_offset 1792
	nop
	.cfi_def_cfa_offset 1800
	nop
	.cfi_def_cfa_offset 1808
	nop
	.cfi_def_cfa_offset 1816
	nop
	.cfi_def_cfa_offset 1824
	nop
	.cfi_def_cfa_offset 1832
	nop
	.cfi_def_cfa_offset 1840
	nop
	.cfi_def_cfa_offset 1848
	nop
	.cfi_def_cfa_offset 1856
	nop
	.cfi_def_cfa_offset 1864
	nop
	.cfi_def_cfa_offset 1872
	nop
	.cfi_def_cfa_offset 1880
	nop
	.cfi_def_cfa_offset 1888
	nop
	.cfi_def_cfa_offset 1896
	nop
	.cfi_def_cfa_offset 1904
	nop
	.cfi_def_cfa_offset 1912
	nop
	.cfi_def_cfa_offset 1920
	nop
	.cfi_def_cfa_offset 1928
	nop
	.cfi_def_cfa_offset 1936
	nop
	.cfi_def_cfa_offset 1944
	nop
	.cfi_def_cfa_offset 1952
	nop
	.cfi_def_cfa_offset 1960
	nop
	.cfi_def_cfa_offset 1968
	nop
	.cfi_def_cfa_offset 1976
	nop
	.cfi_def_cfa_offset 1984
	nop
	.cfi_def_cfa_offset 1992
	nop
	.cfi_def_cfa_offset 2000
	nop
	.cfi_def_cfa_offset 2008
	nop
	.cfi_def_cfa_offset 2016
	nop
	.cfi_def_cfa_offset 2024
	nop
	.cfi_def_cfa_offset 2032
	nop
	.cfi_def_cfa_offset 2040
	nop
	.cfi_def_cfa_offset 2048
	nop
	.cfi_def_cfa_offset 2056
	nop
	.cfi_def_cfa_offset 2064
	nop
	.cfi_def_cfa_offset 2072
	nop
	.cfi_def_cfa_offset 2080
	nop
	.cfi_def_cfa_offset 2088
	nop
	.cfi_def_cfa_offset 2096
	nop
	.cfi_def_cfa_offset 2104
	nop
	.cfi_def_cfa_offset 2112
	nop
	.cfi_def_cfa_offset 2120
	nop
	.cfi_def_cfa_offset 2128
	nop
	.cfi_def_cfa_offset 2136
	nop
	.cfi_def_cfa_offset 2144
	nop
	.cfi_def_cfa_offset 2152
	nop
	.cfi_def_cfa_offset 2160
	nop
	.cfi_def_cfa_offset 2168
	nop
	.cfi_def_cfa_offset 2176
	nop
	.cfi_def_cfa_offset 2184
	nop
	.cfi_def_cfa_offset 2192
	nop
	.cfi_def_cfa_offset 2200
	nop
	.cfi_def_cfa_offset 2208
	nop
	.cfi_def_cfa_offset 2216
	nop
	.cfi_def_cfa_offset 2224
	nop
	.cfi_def_cfa_offset 2232
	nop
	.cfi_def_cfa_offset 2240
	nop
	.cfi_def_cfa_offset 2248
	nop
	.cfi_def_cfa_offset 2256
	nop
	.cfi_def_cfa_offset 2264
	nop
	.cfi_def_cfa_offset 2272
	nop
	.cfi_def_cfa_offset 2280
	nop
	.cfi_def_cfa_offset 2288
	nop
	.cfi_def_cfa_offset 2296
	nop
	.cfi_def_cfa_offset 2304
	nop
	.cfi_def_cfa_offset 2312
	nop
	.cfi_def_cfa_offset 2320
	nop
	.cfi_def_cfa_offset 2328
	nop
	.cfi_def_cfa_offset 2336
	nop
	.cfi_def_cfa_offset 2344
	nop
	.cfi_def_cfa_offset 2352
	nop
	.cfi_def_cfa_offset 2360
	nop
	.cfi_def_cfa_offset 2368
	nop
	.cfi_def_cfa_offset 2376
	nop
	.cfi_def_cfa_offset 2384
	nop
	.cfi_def_cfa_offset 2392
	nop
	.cfi_def_cfa_offset 2400
	.cfi_endproc
	.size f, .-f
