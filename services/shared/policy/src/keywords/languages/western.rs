//! Languages of western and northern Europe and of the Americas.

use super::{
    super::KeywordKind::{Start, Stop},
    Language,
};

/// Left out: `FIN` (the end of anything), `BASTA`, `NO`, `PARA` ("for"), `SALIR` (leaves a menu), `INICIO` (a menu's first
/// page), `SÍ`. `ALTA` is the usual opposite of `BAJA`, and "another" or "tall" in Romanian and Italian.
pub(super) static SPANISH: Language = Language {
    tag: "es",
    stop: &[
        "BAJA",
        "ALTO",
        "PARAR",
        "DETENER",
        "CANCELAR",
        "DESUSCRIBIR",
        "DESUSCRIBIRME",
        "DESUSCRIBIRSE",
        "DARME DE BAJA",
        "DARSE DE BAJA",
        "DAR DE BAJA",
    ],
    start: &["INICIAR", "SUSCRIBIR", "SUSCRIBIRME", "SUSCRIBIRSE", "DARME DE ALTA"],
    help: &["AYUDA"],
    here: &[(Start, "ALTA")],
    plain: true,
    replies: [
        "{name}: Su baja es efectiva; no le enviaremos otros mensajes. Responda INICIAR para volver a recibirlos, AYUDA para ayuda.",
        "{name}: Vuelve a recibir nuestros mensajes. Responda AYUDA para ayuda, BAJA para darse de baja.",
        "{name}: Escriba y le responderemos. Responda BAJA para no recibir mensajes, INICIAR para volver a recibirlos.",
    ],
};

/// `SAIR` is what Brazilian carriers ask for. Left out: `FIM`, `NÃO`, `CHEGA`, `VOLTAR` (goes back in a menu). `PARE` is
/// "money" or "seems" in languages of the Balkans.
pub(super) static PORTUGUESE: Language = Language {
    tag: "pt",
    stop: &["PARAR", "SAIR", "CANCELAR", "DESCADASTRAR", "CANCELAR INSCRIÇÃO", "CANCELAR ASSINATURA"],
    start: &["INICIAR", "ASSINAR", "INSCREVER"],
    help: &["AJUDA"],
    here: &[(Stop, "PARE")],
    plain: true,
    replies: [
        "{name}: Cadastro cancelado; as mensagens param por aqui. Responda INICIAR para receber de novo, AJUDA para ajuda.",
        "{name}: Mensagens ativadas de novo. Responda AJUDA para ajuda, PARAR para cancelar.",
        "{name}: Escreva e responderemos. Responda PARAR para cancelar as mensagens, INICIAR para receber de novo.",
    ],
};

/// `STOP` is what French law and carriers ask for. Left out: `FIN`, `ANNULER` (an order), `NON`.
pub(super) static FRENCH: Language = Language {
    tag: "fr",
    stop: &[
        "STOP",
        "STOP SMS",
        "STOPSMS",
        "ARRÊT",
        "ARRÊTER",
        "DÉSABONNER",
        "SE DÉSABONNER",
        "ME DÉSABONNER",
        "DÉSABONNEMENT",
        "DÉSINSCRIRE",
        "ME DÉSINSCRIRE",
        "DÉSINSCRIPTION",
    ],
    start: &["REPRENDRE", "ABONNER", "S'ABONNER", "M'ABONNER"],
    help: &["AIDE"],
    here: &[],
    plain: true,
    replies: [
        "{name} : désinscription faite, vous ne recevrez plus de messages. Répondez START pour en recevoir de nouveau, AIDE pour une aide.",
        "{name} : vous recevrez de nouveau nos messages. Répondez AIDE pour une aide, STOP pour vous désinscrire.",
        "{name} : écrivez-nous ici, nous répondrons. Répondez STOP pour ne plus recevoir de messages, START pour en recevoir.",
    ],
};

/// Left out: `ENDE`, `NEIN`, `KÜNDIGEN` (a contract), `STORNIEREN` (an order), `ANMELDEN` (to an account).
pub(super) static GERMAN: Language = Language {
    tag: "de",
    stop: &["STOP", "STOPP", "ABMELDEN", "ABBESTELLEN", "AUSTRAGEN"],
    start: &["ABONNIEREN"],
    help: &["HILFE"],
    here: &[],
    plain: true,
    replies: [
        "{name}: Sie sind abgemeldet und erhalten keine Nachrichten mehr. Mit START erhalten Sie sie wieder, mit HILFE Hilfe.",
        "{name}: Sie erhalten wieder Nachrichten. Antworten Sie HILFE für Hilfe, STOPP zum Abmelden.",
        "{name}: Schreiben Sie uns hier, wir antworten. STOPP meldet Sie ab, START wieder an.",
    ],
};

/// Left out: `FINE`, `BASTA`, `FERMA` ("farm" in Romanian), `ANNULLA` (an order).
pub(super) static ITALIAN: Language = Language {
    tag: "it",
    stop: &["STOP", "DISISCRIVI", "DISISCRIVIMI", "DISISCRIVERMI", "CANCELLAMI", "CANCELLA ISCRIZIONE"],
    start: &["ISCRIVI", "ISCRIVIMI"],
    help: &["AIUTO"],
    here: &[],
    plain: true,
    replies: [
        "{name}: iscrizione annullata, non riceverai altri messaggi. Rispondi START per riceverli di nuovo, AIUTO per assistenza.",
        "{name}: riceverai di nuovo i nostri messaggi. Rispondi AIUTO per assistenza, STOP per non riceverne più.",
        "{name}: scrivici qui e ti risponderemo. Rispondi STOP per non ricevere messaggi, START per riceverli di nuovo.",
    ],
};

/// Left out: `EINDE`, `NEE`, `ANNULEREN` (an order), `AANMELDEN` (to an account).
pub(super) static DUTCH: Language = Language {
    tag: "nl",
    stop: &["STOP", "STOPPEN", "AFMELDEN", "UITSCHRIJVEN"],
    start: &["ABONNEREN", "INSCHRIJVEN"],
    help: &["HULP"],
    here: &[],
    plain: true,
    replies: [
        "{name}: u bent afgemeld en krijgt geen berichten meer. Antwoord START om ze weer te krijgen, HULP voor hulp.",
        "{name}: u krijgt weer berichten. Antwoord HULP voor hulp, STOP om u af te melden.",
        "{name}: schrijf ons hier, wij antwoorden. Antwoord STOP om u af te melden, START om weer berichten te krijgen.",
    ],
};

/// Left out: `SLUT` (the end, and sold out), `AVSLUTA` (a conversation), `AVBRYT`.
pub(super) static SWEDISH: Language = Language {
    tag: "sv",
    stop: &["STOPP", "STOPPA", "AVREGISTRERA", "AVPRENUMERERA"],
    start: &["STARTA", "PRENUMERERA"],
    help: &["HJÄLP"],
    here: &[],
    plain: true,
    replies: [
        "{name}: Du är avregistrerad och får inga fler meddelanden. Svara START för att få dem igen, HJÄLP för hjälp.",
        "{name}: Du får meddelanden igen. Svara HJÄLP för hjälp, STOPP för att avregistrera dig.",
        "{name}: Skriv till oss här så svarar vi. Svara STOPP för att avregistrera dig, START för att få meddelanden igen.",
    ],
};

/// Left out: `SLUT`, `ANNULLER` (an order).
pub(super) static DANISH: Language = Language {
    tag: "da",
    stop: &["STOP", "AFMELD", "AFMELDING", "FRAMELD"],
    start: &["TILMELD", "TILMELDING"],
    help: &["HJÆLP"],
    here: &[],
    plain: true,
    replies: [
        "{name}: Du er afmeldt og får ikke flere beskeder. Svar START for at få dem igen, HJÆLP for hjælp.",
        "{name}: Du får beskeder igen. Svar HJÆLP for hjælp, STOP for at afmelde.",
        "{name}: Skriv til os her, så svarer vi. Svar STOP for at afmelde, START for at få beskeder igen.",
    ],
};

/// Left out: `SLUTT`, `AVSLUTT` (a conversation), `AVBRYT`.
pub(super) static NORWEGIAN: Language = Language {
    tag: "nb",
    stop: &["STOPP", "AVMELD", "AVMELDING", "MELD AV"],
    start: &["MELD PÅ", "ABONNER"],
    help: &["HJELP"],
    here: &[],
    plain: true,
    replies: [
        "{name}: Du er avmeldt og får ikke flere meldinger. Svar START for å få dem igjen, HJELP for hjelp.",
        "{name}: Du får meldinger igjen. Svar HJELP for hjelp, STOPP for å melde deg av.",
        "{name}: Skriv til oss her, så svarer vi. Svar STOPP for å melde deg av, START for å få meldinger igjen.",
    ],
};

/// Left out: `SEIS` ("six" in Spanish), `LOPPU` (the end), `PERUUTA` (an order), `TILAA` ("order"), `APUA` (a cry for help,
/// which a person should see).
pub(super) static FINNISH: Language = Language {
    tag: "fi",
    stop: &["STOP", "LOPETA", "PERUUTA TILAUS"],
    start: &["ALOITA"],
    help: &["OHJE", "OHJEET"],
    here: &[],
    plain: true,
    replies: [
        "{name}: Et saa enää viestejä. Vastaa START, niin saat niitä taas, tai OHJE, niin saat ohjeita.",
        "{name}: Saat taas viestejä. Vastaa OHJE, niin saat ohjeita, tai STOP, niin et saa enää viestejä.",
        "{name}: Kirjoita meille, vastaamme. Vastaa STOP, niin et saa enää viestejä, tai START, niin saat niitä taas.",
    ],
};
