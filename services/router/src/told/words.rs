//! The words, by language.

/// What is said in one language. `{n}` is a number, `{wait}` a stretch of time.
#[derive(Debug)]
pub(super) struct Words {
    /// Between two sentences.
    space: &'static str,
    pub(super) next: &'static str,
    pub(super) number: &'static str,
    pub(super) wait: &'static str,
    pub(super) closed: &'static str,
    pub(super) nobody: &'static str,
    pub(super) called_back: &'static str,
    pub(super) called_back_later: &'static str,
    pub(super) waits_again: &'static str,
    pub(super) shut: &'static str,
    pub(super) shut_until: &'static str,
    pub(super) in_vain: &'static str,
    pub(super) turn: &'static str,
    pub(super) call_me_back: &'static str,
    pub(super) i_will_wait: &'static str,
    pub(super) under_a_minute: &'static str,
    pub(super) minute: &'static str,
    pub(super) minutes: &'static str,
    pub(super) hour: &'static str,
    pub(super) hours: &'static str,
    pub(super) day: &'static str,
    pub(super) days: &'static str,
}

/// By primary language; English first, for whoever speaks none of them.
static LANGUAGES: [(&str, Words); 6] = [
    (
        "en",
        Words {
            space: " ",
            next: "You are next.",
            number: "You are number {n} in the queue.",
            wait: "The wait is {wait}.",
            closed: "We are closed now and open in {wait}. Your message is kept, and so is your place.",
            nobody: "Nobody is available right now. You keep your place, and we answer as soon as somebody is back.",
            called_back: "We will get back to you when it is your turn. You need not wait.",
            called_back_later: "We will get back to you, in {wait} at the earliest. You need not wait.",
            waits_again: "You are waiting in the queue again.",
            shut: "We are closed now. Please write to us again later.",
            shut_until: "We are closed now. Please write to us again in {wait}.",
            in_vain: "We are sorry that nobody could answer you. Please write to us again.",
            turn: "It is your turn: somebody is with you now.",
            call_me_back: "Call me back",
            i_will_wait: "I will wait",
            under_a_minute: "less than a minute",
            minute: "about a minute",
            minutes: "about {n} minutes",
            hour: "about an hour",
            hours: "about {n} hours",
            day: "about a day",
            days: "about {n} days",
        },
    ),
    (
        "de",
        Words {
            space: " ",
            next: "Sie sind als Nächstes an der Reihe.",
            number: "Sie sind Nummer {n} in der Warteschlange.",
            wait: "Die Wartezeit liegt bei {wait}.",
            closed: "Wir haben zurzeit geschlossen und öffnen in {wait}. Ihre Nachricht und Ihr Platz bleiben erhalten.",
            nobody: "Zurzeit ist niemand verfügbar. Sie behalten Ihren Platz, und wir antworten, sobald jemand da ist.",
            called_back: "Wir melden uns bei Ihnen, sobald Sie an der Reihe sind. Sie brauchen nicht zu warten.",
            called_back_later: "Wir melden uns bei Ihnen, frühestens in {wait}. Sie brauchen nicht zu warten.",
            waits_again: "Sie stehen wieder in der Warteschlange.",
            shut: "Wir haben zurzeit geschlossen. Bitte schreiben Sie uns später noch einmal.",
            shut_until: "Wir haben zurzeit geschlossen. Bitte schreiben Sie uns in {wait} noch einmal.",
            in_vain: "Es tut uns leid, dass Ihnen niemand antworten konnte. Bitte schreiben Sie uns noch einmal.",
            turn: "Sie sind an der Reihe: Jetzt ist jemand für Sie da.",
            call_me_back: "Rückruf anfordern",
            i_will_wait: "Ich warte lieber",
            under_a_minute: "weniger als einer Minute",
            minute: "etwa einer Minute",
            minutes: "etwa {n} Minuten",
            hour: "etwa einer Stunde",
            hours: "etwa {n} Stunden",
            day: "etwa einem Tag",
            days: "etwa {n} Tagen",
        },
    ),
    (
        "es",
        Words {
            space: " ",
            next: "Es su turno a continuación.",
            number: "Es el número {n} de la cola.",
            wait: "El tiempo de espera es de {wait}.",
            closed: "Ahora está cerrado y abrimos en {wait}. Conservamos su mensaje y su lugar.",
            nobody: "Ahora no hay nadie disponible. Conserva su lugar y le responderemos en cuanto haya alguien.",
            called_back: "Le contactaremos cuando llegue su turno. No hace falta que espere.",
            called_back_later: "Le contactaremos como muy pronto en {wait}. No hace falta que espere.",
            waits_again: "Vuelve a estar en la cola.",
            shut: "Ahora está cerrado. Escríbanos de nuevo más tarde, por favor.",
            shut_until: "Ahora está cerrado. Escríbanos de nuevo en {wait}, por favor.",
            in_vain: "Sentimos que nadie haya podido responderle. Escríbanos de nuevo, por favor.",
            turn: "Es su turno: ya le atienden.",
            call_me_back: "Prefiero que me llamen",
            i_will_wait: "Prefiero esperar",
            under_a_minute: "menos de un minuto",
            minute: "un minuto aproximadamente",
            minutes: "unos {n} minutos",
            hour: "una hora aproximadamente",
            hours: "unas {n} horas",
            day: "un día aproximadamente",
            days: "unos {n} días",
        },
    ),
    (
        "fr",
        Words {
            space: " ",
            next: "C'est bientôt votre tour.",
            number: "Vous êtes numéro {n} dans la file d'attente.",
            wait: "Temps d'attente : {wait}.",
            closed: "Nous sommes fermés et rouvrons dans {wait}. Votre message et votre place sont conservés.",
            nobody: "Personne n'est disponible pour le moment. Vous gardez votre place et nous répondrons dès que possible.",
            called_back: "Nous vous recontacterons quand ce sera votre tour. Inutile d'attendre.",
            called_back_later: "Nous vous recontacterons, au plus tôt dans {wait}. Inutile d'attendre.",
            waits_again: "Vous êtes de nouveau dans la file d'attente.",
            shut: "Nous sommes fermés. Merci de nous écrire à nouveau plus tard.",
            shut_until: "Nous sommes fermés. Merci de nous écrire à nouveau dans {wait}.",
            in_vain: "Nous regrettons que personne n'ait pu vous répondre. Merci de nous écrire à nouveau.",
            turn: "C'est votre tour : quelqu'un s'occupe de vous.",
            call_me_back: "Me rappeler",
            i_will_wait: "Je préfère attendre",
            under_a_minute: "moins d'une minute",
            minute: "environ une minute",
            minutes: "environ {n} minutes",
            hour: "environ une heure",
            hours: "environ {n} heures",
            day: "environ un jour",
            days: "environ {n} jours",
        },
    ),
    (
        "pt",
        Words {
            space: " ",
            next: "O próximo atendimento é o seu.",
            number: "A sua posição na fila é {n}.",
            wait: "O tempo de espera é de {wait}.",
            closed: "Estamos fechados agora e abrimos em {wait}. A sua mensagem e o seu lugar ficam guardados.",
            nobody: "Não há ninguém disponível agora. O seu lugar fica guardado e respondemos assim que alguém voltar.",
            called_back: "Entraremos em contato quando chegar a sua vez. Não é preciso esperar.",
            called_back_later: "Entraremos em contato, no mínimo em {wait}. Não é preciso esperar.",
            waits_again: "A sua espera na fila continua.",
            shut: "Estamos fechados agora. Escreva-nos novamente mais tarde, por favor.",
            shut_until: "Estamos fechados agora. Escreva-nos novamente em {wait}, por favor.",
            in_vain: "Lamentamos que ninguém tenha podido responder. Escreva-nos novamente, por favor.",
            turn: "É a sua vez: já há alguém a atender.",
            call_me_back: "Quero que me liguem",
            i_will_wait: "Prefiro esperar",
            under_a_minute: "menos de um minuto",
            minute: "cerca de um minuto",
            minutes: "cerca de {n} minutos",
            hour: "cerca de uma hora",
            hours: "cerca de {n} horas",
            day: "cerca de um dia",
            days: "cerca de {n} dias",
        },
    ),
    (
        "zh",
        Words {
            space: "",
            next: "下一位就是您。",
            number: "您排在第{n}位。",
            wait: "预计等待{wait}。",
            closed: "我们现在不在服务时间，{wait}后恢复服务。您的消息和排队位置都会保留。",
            nobody: "目前没有客服在线。您的排队位置会保留，客服上线后会尽快回复您。",
            called_back: "轮到您时我们会联系您，您不必等待。",
            called_back_later: "我们最早将在{wait}后联系您，您不必等待。",
            waits_again: "您已重新排队。",
            shut: "我们现在不在服务时间，请稍后再给我们留言。",
            shut_until: "我们现在不在服务时间，请在{wait}后再给我们留言。",
            in_vain: "很抱歉，没有客服能够回复您。请再次给我们留言。",
            turn: "轮到您了，客服正在为您服务。",
            call_me_back: "请回电给我",
            i_will_wait: "我愿意等待",
            under_a_minute: "不到1分钟",
            minute: "约1分钟",
            minutes: "约{n}分钟",
            hour: "约1小时",
            hours: "约{n}小时",
            day: "约1天",
            days: "约{n}天",
        },
    ),
];

impl Words {
    /// The words of a language by its BCP 47 tag, else the English ones.
    pub(super) fn of(tag: &str) -> &'static Self {
        let primary = tag.split(['-', '_']).next().unwrap_or_default().to_ascii_lowercase();
        let found = LANGUAGES.iter().find(|(language, _)| *language == primary);
        &found.unwrap_or(&LANGUAGES[0]).1
    }

    /// Several sentences as one text.
    pub(super) fn join(&self, sentences: &[String]) -> String {
        sentences.join(self.space)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_language_says_what_is_to_be_filled_in() {
        for (language, words) in &LANGUAGES {
            for text in [words.number, words.minutes, words.hours, words.days] {
                assert!(text.contains("{n}"), "{language}: {text}");
            }
            for text in [words.wait, words.closed, words.called_back_later, words.shut_until] {
                assert!(text.contains("{wait}"), "{language}: {text}");
            }
            assert_eq!(Words::of(&format!("{language}-XX")).next, words.next);
            assert!(words.call_me_back.chars().count() <= 24, "{language}: it has to fit on a button");
            assert!(words.i_will_wait.chars().count() <= 24, "{language}: it has to fit on a button");
        }
    }

    #[test]
    fn others_are_spoken_to_in_english() {
        for tag in ["", "tlh", "x-de"] {
            assert_eq!(Words::of(tag).next, LANGUAGES[0].1.next, "{tag}");
        }
        assert_eq!(Words::of("PT_br").next, Words::of("pt").next);
    }
}
