//! Languages of central, eastern and southern Europe, and Turkish.

use super::{super::KeywordKind::Stop, Language};

/// Left out: `KONIEC` (the end), `ANULUJ` (an order), `ZAPISZ` ("save").
pub(super) static POLISH: Language = Language {
    tag: "pl",
    stop: &["STOP", "REZYGNUJĘ", "WYPISZ", "WYPISZ MNIE", "WYPISUJĘ SIĘ"],
    start: &["WZNÓW", "ZAPISZ MNIE"],
    help: &["POMOC"],
    here: &[],
    plain: true,
    replies: [
        "{name}: nie wyślemy już wiadomości. Powrót: START, pomoc: POMOC.",
        "{name}: znów wysyłamy wiadomości. Pomoc: POMOC, rezygnacja: STOP.",
        "{name}: napisz, odpowiemy. Rezygnacja: STOP, powrót: START.",
    ],
};

/// Left out: `KONEC` (the end), `ZRUŠIT` (an order), `PŘIHLÁSIT` (to an account).
pub(super) static CZECH: Language = Language {
    tag: "cs",
    stop: &["STOP", "ODHLÁSIT", "ODHLÁSIT SE", "ODHLÁSIT ODBĚR"],
    start: &["ODEBÍRAT"],
    help: &["POMOC", "NÁPOVĚDA"],
    here: &[],
    plain: true,
    replies: [
        "{name}: další zprávy neposíláme. Návrat: START, pomoc: POMOC.",
        "{name}: zprávy opět posíláme. Pomoc: POMOC, odhlášení: STOP.",
        "{name}: napište nám, odpovíme. Odhlášení: STOP, návrat: START.",
    ],
};

/// Left out: `VÉGE` (the end), `ELÉG`, `TÖRLÉS` (of anything).
pub(super) static HUNGARIAN: Language = Language {
    tag: "hu",
    stop: &["STOP", "LEIRATKOZÁS", "LEIRATKOZOM", "LEIRATKOZNI"],
    start: &["FELIRATKOZÁS", "FELIRATKOZOM"],
    help: &["SÚGÓ", "SEGÍTSÉG"],
    here: &[],
    plain: true,
    replies: [
        "{name}: több üzenetet nem küldünk. Vissza: START, segítség: SÚGÓ.",
        "{name}: ismét küldünk üzeneteket. Segítség: SÚGÓ, leállítás: STOP.",
        "{name}: írjon, válaszolunk. Leállítás: STOP, vissza: START.",
    ],
};

/// Left out: `GATA` ("done", "ready"), `AJUNGE`, `ANULEAZĂ` (an order).
pub(super) static ROMANIAN: Language = Language {
    tag: "ro",
    stop: &["STOP", "DEZABONARE", "DEZABONEAZĂ", "OPREȘTE"],
    start: &["ABONARE"],
    help: &["AJUTOR"],
    here: &[],
    plain: true,
    replies: [
        "{name}: nu veți mai primi mesaje. Reluare: START, ajutor: AJUTOR.",
        "{name}: veți primi din nou mesaje. Ajutor: AJUTOR, oprire: STOP.",
        "{name}: scrieți-ne și vă răspundem. Oprire: STOP, reluare: START.",
    ],
};

/// Left out: `ΤΕΛΟΣ` (the end), `ΔΙΑΚΟΠΗ` (of power or service), `ΑΚΥΡΩΣΗ` (of an order).
pub(super) static GREEK: Language = Language {
    tag: "el",
    stop: &["ΣΤΟΠ", "ΑΠΕΓΓΡΑΦΉ", "ΔΙΑΓΡΑΦΉ"],
    start: &["ΈΝΑΡΞΗ", "ΕΓΓΡΑΦΉ"],
    help: &["ΒΟΉΘΕΙΑ"],
    here: &[],
    plain: true,
    replies: [
        "{name}: δεν θα λάβετε άλλα μηνύματα. Επιστροφή: START.",
        "{name}: θα λαμβάνετε ξανά μηνύματα. Βοήθεια: ΒΟΗΘΕΙΑ, παύση: ΣΤΟΠ.",
        "{name}: γράψτε μας, θα απαντήσουμε. Παύση: ΣΤΟΠ, επιστροφή: START.",
    ],
};

/// Left out: `КОНЕЦ` (the end), `ХВАТИТ`, `ОТМЕНА` (of an order), `ОТКАЗ` (of an offer).
pub(super) static RUSSIAN: Language = Language {
    tag: "ru",
    stop: &["СТОП", "ОТПИСАТЬСЯ", "ОТПИСАТЬ", "ОТПИСКА", "ОТПИШИТЕ"],
    start: &["СТАРТ", "ПОДПИСАТЬСЯ", "ПОДПИСКА"],
    help: &["ПОМОЩЬ", "СПРАВКА"],
    here: &[],
    plain: true,
    replies: [
        "{name}: больше не будем присылать сообщений. Вернуться: СТАРТ.",
        "{name}: вы снова подписаны. Справка: ПОМОЩЬ, отписка: СТОП.",
        "{name}: напишите, мы ответим. Отписка: СТОП, подписка: СТАРТ.",
    ],
};

/// Left out: `КІНЕЦЬ` (the end), `ДОСИТЬ`, `СКАСУВАТИ` (an order).
pub(super) static UKRAINIAN: Language = Language {
    tag: "uk",
    stop: &["СТОП", "ВІДПИСАТИСЯ", "ВІДПИСАТИСЬ", "ВІДПИСКА"],
    start: &["СТАРТ", "ПІДПИСАТИСЯ", "ПІДПИСАТИСЬ", "ПІДПИСКА"],
    help: &["ДОПОМОГА", "ДОВІДКА"],
    here: &[],
    plain: true,
    replies: [
        "{name}: більше не надсилатимемо повідомлень. Повернутися: СТАРТ.",
        "{name}: ви знову підписані. Довідка: ДОПОМОГА, відписка: СТОП.",
        "{name}: напишіть, ми відповімо. Відписка: СТОП, підписка: СТАРТ.",
    ],
};

/// `İPTAL` and `RET` are what Turkish carriers and the registry of commercial messages ask for. Left out: `DUR` ("wait"),
/// `SON` (the end), `ONAY` (confirms anything).
pub(super) static TURKISH: Language = Language {
    tag: "tr",
    stop: &["İPTAL", "DURDUR", "ABONELİKTEN ÇIK"],
    start: &["BAŞLAT", "ABONE OL"],
    help: &["YARDIM"],
    here: &[(Stop, "RET")],
    plain: true,
    replies: [
        "{name}: Artık mesaj almayacaksınız. Dönmek için BAŞLAT yazın.",
        "{name}: Yeniden mesaj alacaksınız. Yardım: YARDIM, çıkış: DURDUR.",
        "{name}: Yazın, yanıtlayalım. Çıkış: DURDUR, dönüş: BAŞLAT.",
    ],
};
