//! Languages of Asia.

use super::{super::KeywordKind::Stop, Language};

/// Left out: `إلغاء` alone (of an order), `لا`, `كفى`.
pub(super) static ARABIC: Language = Language {
    tag: "ar",
    stop: &["إيقاف", "توقف", "قف", "إلغاء الاشتراك", "الغاء اشتراك"],
    start: &["ابدأ", "بدء", "اشتراك"],
    help: &["مساعدة"],
    here: &[],
    plain: true,
    replies: [
        "{name}: لن تصلك رسائل أخرى. للعودة أرسل: ابدأ",
        "{name}: ستصلك رسائلنا من جديد. للمساعدة: مساعدة، للإيقاف: إيقاف",
        "{name}: اكتب لنا وسنجيب. للإيقاف: إيقاف، للعودة: ابدأ",
    ],
};

/// `הסר` is what Israeli law asks for. Left out: `די`, `לא`, `ביטול` (of an order).
pub(super) static HEBREW: Language = Language {
    tag: "he",
    stop: &["הסר", "הסירו", "הסירו אותי", "הסרה", "להסרה", "הפסק", "עצור"],
    start: &["התחל", "הצטרף"],
    help: &["עזרה"],
    here: &[],
    plain: true,
    replies: [
        "{name}: הוסרתם ולא יישלחו אליכם עוד הודעות. לחזרה השיבו: התחל",
        "{name}: תקבלו שוב הודעות. לעזרה השיבו: עזרה, להסרה: הסר",
        "{name}: כתבו לנו ונענה. להסרה השיבו: הסר, לחזרה: התחל",
    ],
};

/// Left out: `बंद` alone ("closed"), `शुरू` alone ("begun"), `नहीं`, `रद्द` (an order).
pub(super) static HINDI: Language = Language {
    tag: "hi",
    stop: &["रोकें", "रोको", "रोक दें", "बंद करें", "बंद करो"],
    start: &["शुरू करें", "शुरू करो"],
    help: &["मदद", "सहायता"],
    here: &[],
    plain: true,
    replies: [
        "{name}: अब कोई संदेश नहीं भेजेंगे। फिर पाने के लिए START लिखें।",
        "{name}: आपको फिर संदेश मिलेंगे। मदद: HELP, रोकने के लिए: STOP",
        "{name}: हमें लिखें, हम उत्तर देंगे। रोकें: STOP, फिर पाएँ: START",
    ],
};

/// `TD` is what carriers in mainland China ask for. Left out: `T` and `R` (choices of a menu), `取消` (an order), `不要`.
pub(super) static SIMPLIFIED_CHINESE: Language = Language {
    tag: "zh",
    stop: &["退订", "停止", "取消订阅"],
    start: &["订阅", "恢复订阅", "开始"],
    help: &["帮助"],
    here: &[(Stop, "TD")],
    plain: true,
    replies: [
        "{name}：您已退订，不会再收到消息。回复“订阅”重新接收，回复“帮助”获取帮助。",
        "{name}：您将重新收到消息。回复“帮助”获取帮助，回复“退订”停止接收。",
        "{name}：请直接留言，我们会答复。回复“退订”停止接收，回复“订阅”重新接收。",
    ],
};

/// Left out: `取消` (an order), `不要`, `說明` (an explanation of anything).
pub(super) static TRADITIONAL_CHINESE: Language = Language {
    tag: "zh-Hant",
    stop: &["退訂", "停止", "取消訂閱", "取消訂閲"],
    start: &["訂閱", "訂閲", "恢復訂閱", "開始"],
    help: &["幫助", "協助"],
    here: &[],
    plain: true,
    replies: [
        "{name}：您已退訂，不會再收到訊息。回覆「訂閱」重新接收，回覆「幫助」取得協助。",
        "{name}：您將重新收到訊息。回覆「幫助」取得協助，回覆「退訂」停止接收。",
        "{name}：請直接留言，我們會回覆。回覆「退訂」停止接收，回覆「訂閱」重新接收。",
    ],
};

/// Left out: `退会` (ends a membership), `中止` (of an event), `助けて` (a cry for help, which a person should see).
pub(super) static JAPANESE: Language = Language {
    tag: "ja",
    stop: &["停止", "配信停止", "配信解除", "登録解除", "ストップ"],
    start: &["開始", "配信開始", "配信再開", "再開", "スタート"],
    help: &["ヘルプ"],
    here: &[],
    plain: true,
    replies: [
        "{name}：配信を停止しました。今後メッセージは届きません。再開は「開始」と返信してください。",
        "{name}：配信を再開しました。ヘルプは「ヘルプ」、停止は「停止」と返信してください。",
        "{name}：ご用件をお送りください。停止は「停止」、再開は「開始」と返信してください。",
    ],
};

/// `수신거부` is what Korean law asks for. Left out: `거부` (refuses anything), `취소` (an order), `동의` (agrees to anything).
pub(super) static KOREAN: Language = Language {
    tag: "ko",
    stop: &["중지", "정지", "수신거부", "수신 거부", "수신 중지", "스톱"],
    start: &["시작", "수신동의", "수신 동의", "구독"],
    help: &["도움말", "도움"],
    here: &[],
    plain: true,
    replies: [
        "{name}: 수신이 거부되어 더 이상 메시지를 보내지 않습니다. 다시 받으려면 '시작' 회신.",
        "{name}: 메시지를 다시 보내 드립니다. 도움은 '도움말', 수신 거부는 '중지' 회신.",
        "{name}: 문의를 보내 주시면 답변드립니다. 수신 거부는 '중지', 재개는 '시작' 회신.",
    ],
};

/// Left out: `ยกเลิก` alone (an order), `พอแล้ว`, `ช่วยด้วย` (a cry for help, which a person should see).
pub(super) static THAI: Language = Language {
    tag: "th",
    stop: &["หยุด", "ยกเลิกรับข่าวสาร", "ยกเลิกรับข้อความ", "ยกเลิกการรับข้อความ", "เลิกรับ"],
    start: &["เริ่ม", "เริ่มต้น", "สมัคร"],
    help: &["ช่วยเหลือ", "ความช่วยเหลือ"],
    here: &[],
    plain: true,
    replies: [
        "{name}: จะไม่ส่งข้อความถึงคุณอีก ตอบ เริ่ม เพื่อรับอีกครั้ง",
        "{name}: คุณจะได้รับข้อความอีก ตอบ ช่วยเหลือ หรือ หยุด เพื่อเลิกรับ",
        "{name}: พิมพ์ถึงเราได้ ตอบ หยุด เพื่อเลิกรับ หรือ เริ่ม เพื่อรับ",
    ],
};

/// Without diacritics many words are one: `DUNG` is `DỪNG` ("stop") and `ĐÚNG` ("right"). Those that cannot be mistaken are
/// listed. `TC` is what Vietnamese law asks for, and "take care" elsewhere. Left out: `HỦY` alone (an order), `TỪ CHỐI`
/// (refuses anything), `ĐĂNG KÝ` (registers for anything).
pub(super) static VIETNAMESE: Language = Language {
    tag: "vi",
    stop: &["DỪNG", "DỪNG LẠI", "NGỪNG", "HỦY ĐĂNG KÝ", "HUỶ ĐĂNG KÝ", "HUY DANG KY"],
    start: &["BẮT ĐẦU", "BAT DAU"],
    help: &["TRỢ GIÚP", "TRO GIUP"],
    here: &[(Stop, "TC")],
    plain: false,
    replies: [
        "{name}: Bạn sẽ không nhận thêm tin nhắn. Soạn BẮT ĐẦU để nhận lại.",
        "{name}: Bạn sẽ lại nhận tin. Trợ giúp: TRỢ GIÚP, ngừng nhận: DỪNG.",
        "{name}: Hãy nhắn, chúng tôi trả lời. Ngừng: DỪNG, lại: BẮT ĐẦU.",
    ],
};

/// `UNREG` is what Indonesian carriers ask for. Left out: `BATAL` (an order), `SELESAI` ("done"), `CUKUP`.
pub(super) static INDONESIAN: Language = Language {
    tag: "id",
    stop: &["BERHENTI", "BERHENTI BERLANGGANAN", "UNREG", "HENTIKAN"],
    start: &["MULAI", "BERLANGGANAN"],
    help: &["BANTUAN"],
    here: &[],
    plain: true,
    replies: [
        "{name}: Anda berhenti dan tidak akan menerima pesan lagi. Balas MULAI untuk menerimanya lagi, BANTUAN untuk bantuan.",
        "{name}: Anda akan menerima pesan lagi. Balas BANTUAN untuk bantuan, BERHENTI untuk berhenti.",
        "{name}: Tulis di sini, kami akan menjawab. Balas BERHENTI untuk berhenti, MULAI untuk menerima pesan lagi.",
    ],
};
