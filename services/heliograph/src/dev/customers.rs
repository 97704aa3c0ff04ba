//! Customers who write by themselves, each in their region's channel, and one whose region has another.

use heliograph_domain::resources::{ChannelAccountSpec, Kind, Resource, Spec};
use heliograph_testkit::sandbox::{Customer, Sandbox};

use crate::{
    accounts,
    admin::{Admin, Sandboxed},
};

/// Somebody who writes: which channel and provider, how the provider calls them, their name, what they say.
struct Role {
    channel: &'static str,
    provider: Option<&'static str>,
    user_id: &'static str,
    name: &'static str,
    lines: &'static [&'static str],
}

/// The cast. In the sample policy a Brazilian has WhatsApp and web chat, not SMS: that message is received, and the
/// verdict says why it may not be answered there.
const CAST: &[Role] = &[
    Role {
        channel: "sms",
        provider: Some("sinch"),
        user_id: "+12125550142",
        name: "Amy Rivera, New York",
        lines: &[
            "Hi! My order 1042 has not arrived yet. Can you look it up?",
            "It was to come on Friday. Thank you!",
            "Perfect, that helps. Bye!",
        ],
    },
    Role {
        channel: "wechat",
        provider: None,
        user_id: "oAcmeDemoLiWei0000000000001",
        name: "李薇, Shanghai",
        lines: &["你好，这个台灯可以调节亮度吗？", "好的，谢谢！请问保修多久？", "明白了，谢谢你。"],
    },
    // They go by a user name and show no number.
    Role {
        channel: "whatsapp",
        provider: None,
        user_id: "BR.13491208655302741918",
        name: "Júlia Alves, Recife",
        lines: &[
            "Oi! A luminária que comprei chegou com o vidro trincado. Vocês trocam?",
            "Comprei na semana passada, pedido 2077.",
            "Perfeito, muito obrigada!",
        ],
    },
    Role {
        channel: "messenger",
        provider: None,
        user_id: "6254477777772919",
        name: "Mia Hughes, Sydney",
        lines: &[
            "Hello! Does the reading lamp fit an Australian socket?",
            "Great. And how long does delivery to Sydney take?",
            "Thanks a lot!",
        ],
    },
    Role {
        channel: "instagram",
        provider: None,
        user_id: "7234567890123456",
        name: "Aroha Ngata, Wellington",
        lines: &[
            "Kia ora! Is the brass lamp from your story still there?",
            "Lovely, I will take one. Ka pai!",
        ],
    },
    Role {
        channel: "line",
        provider: None,
        user_id: "U0123456789abcdef0123456789abcdef",
        name: "佐藤 陽菜, 大阪",
        lines: &["こんにちは。注文1042はいつ届きますか？", "ありがとうございます。助かりました。"],
    },
    Role {
        channel: "rcs",
        provider: None,
        user_id: "+919876543210",
        name: "Asha Rao, Bengaluru",
        lines: &["Hello! Can I still change the colour of my lamp?", "Great, thank you."],
    },
    Role {
        channel: "bottle",
        provider: None,
        user_id: "fletcher-of-adamstown",
        name: "Fletcher, Pitcairn",
        lines: &["Ahoy! The supply ship is due on Tuesday. Is my lamp aboard?", "Much obliged. Fair winds!"],
    },
    Role {
        channel: "sms",
        provider: Some("sinch"),
        user_id: "+5511987654321",
        name: "Bia Souza, São Paulo",
        lines: &["Olá! Vocês entregam no Brasil?"],
    },
    Role {
        channel: "telegram",
        provider: None,
        user_id: "700000142",
        name: "Lena Vogt, Berlin",
        lines: &["Hallo! Ist die Lampe aus dem Schaufenster noch da?", "Wunderbar, ich komme vorbei. Danke!"],
    },
    Role {
        channel: "viber",
        provider: None,
        user_id: "AcmeDemoIvanPetrov0001==",
        name: "Ivan Petrov, Sofia",
        lines: &["Здравейте! Кога пристига поръчка 2077?", "Чудесно, благодаря!"],
    },
];

/// Makes every account known to the sandbox, with the address it calls us at.
pub(super) async fn introduce(sandbox: &Sandbox, admin: &Admin, sandboxed: &Sandboxed) -> anyhow::Result<()> {
    for (resource, spec) in in_use(admin).await? {
        let (raw, _) = accounts::raw_account(&resource, &spec)?;
        let public = spec.public_base_url.as_deref().unwrap_or(&sandboxed.public_base).trim_end_matches('/');
        sandbox.add_account(&raw, &format!("{public}/{}/{}", raw.channel, raw.name));
    }
    Ok(())
}

/// The parts of the cast that have an account to write to: who, and what they say.
pub(super) async fn scenes(sandbox: &Sandbox, admin: &Admin) -> anyhow::Result<Vec<(Customer, Vec<String>)>> {
    let accounts = in_use(admin).await?;
    let scene = |role: &Role| {
        let suits = |spec: &ChannelAccountSpec| {
            spec.channel == role.channel
                && role.provider.is_none_or(|provider| spec.provider.as_deref() == Some(provider))
        };
        let (account, _) = accounts.iter().find(|(_, spec)| suits(spec))?;
        let customer = sandbox.customer(&account.metadata.name, role.user_id, role.name);
        Some((customer, role.lines.iter().map(|line| (*line).to_owned()).collect()))
    };
    Ok(CAST.iter().filter_map(scene).collect())
}

async fn in_use(admin: &Admin) -> anyhow::Result<Vec<(Resource, ChannelAccountSpec)>> {
    let stored = admin.list(None, Some(Kind::ChannelAccount)).await?;
    Ok(stored
        .into_iter()
        .filter_map(|stored| match stored.resource.spec.clone() {
            Spec::ChannelAccount(spec) if spec.enabled => Some((stored.resource, spec)),
            _ => None,
        })
        .collect())
}
