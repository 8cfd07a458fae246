//! The words that mail servers use for their refusals.

use super::BounceCause::{
    self, ContentRejected, MailboxDisabled, MailboxFull, MessageTooLarge, NoDomain, NoMailbox,
    PolicyRejected, ServerTrouble, TimedOut, Unknown,
};

/// An auto-responder's own words, in lower case.
#[rustfmt::skip]
pub(super) const AUTOMATIC_REPLIES: &[&str] = &[
    "out of office", "out of the office", "out-of-office", "auto-reply", "autoreply", "auto reply",
    "auto-replied", "auto-response", "automatic reply", "automatic response", "on vacation",
    "vacation message", "abwesenheit", "nicht im büro", "absence du bureau", "réponse automatique",
    "respuesta automática", "fuera de la oficina", "resposta automática", "risposta automatica",
    "automatisch antwoord",
];

/// Words of mail servers, in lower case; `*` stands for anything in between.
pub(super) type WordTable = &'static [(&'static [&'static str], BounceCause)];

/// Words with only one meaning. The first row with a match counts.
#[rustfmt::skip]
pub(super) const SURE_WORDS: WordTable = &[
    // They object to the sender, which is us, whatever else the answer mentions.
    (
        &[
            "sender address rejected", "sender rejected", "sender denied", "sender verify",
            "sender verification", "sender domain", "sender's domain", "your domain",
            "sending domain", "not accept mail from", "sender*not allowed", "sender*blocked",
            "sender*blacklist", "sender not auth", "sender is unauthenticated", "domain of sender",
            "bad sender", "invalid sender", "from address", "envelope sender", "mail from*reject",
            "absender*abgelehnt", "absender*gesperrt", "absender*nicht erlaubt", "reputation",
            "réputation", "[ts03]", "[tss", "expéditeur", "remetente", "remitente", "mittente",
            "afzender", "nadawc", "odesílatel", "отправител", "відправник", "gönderen", "送信元",
            "送信者", "发件人", "發件人", "발신",
        ],
        PolicyRejected,
    ),
    // The mailbox does not exist.
    (
        &[
            "user unknown", "unknown user", "unknown recipient", "recipient unknown",
            "user is unknown", "no such user", "no such mailbox", "no such recipient",
            "no such person", "no such account", "no such local user", "nosuchuser",
            "user not found", "mailbox not found", "invalid user", "unknown or illegal",
            "mailbox*does not exist", "account*does not exist", "user*does not exist",
            "user*doesn't exist", "mailbox*doesn't exist", "account*doesn't exist",
        ],
        NoMailbox,
    ),
    // They object to the message.
    (
        &[
            "virus", "vírus", "malware", "executable", "message content", "content compliance",
            "content rule", "content filter", "content policy", "body matches", "disallowed header",
            "header is malformed", "attachment content", "because its content",
        ],
        ContentRejected,
    ),
    (
        &[
            "message exceeds*size", "message size exceeds", "maximum message size",
            "message length exceeds", "message is bigger", "邮件大小超过", "郵件大小超過",
        ],
        MessageTooLarge,
    ),
    // The attempts took too long.
    (
        &[
            "operation timed out", "connection timed out", "queue too long",
            "could not be delivered for",
        ],
        TimedOut,
    ),
    // They give no reason: here, "unknown" is not about a mailbox.
    (
        &[
            "did not receive a specific reason", "unknown error", "unknown mailer error",
            "erreur inconnue", "error desconocido", "erro desconhecido", "errore sconosciuto",
            "unbekannter fehler", "onbekende fout", "nieznany błąd", "неизвестная ошибка",
            "未知错误", "未知錯誤", "不明なエラー",
        ],
        Unknown,
    ),
    // They ask for another try: such answers also contain words of a refusal.
    (
        &[
            "greylist", "graylist", "grey list", "grey-list", "receiving mail at a rate",
            "receiving mail too quickly", "too many connections", "too many concurrent",
            "max concurrent", "server busy", "server is busy", "mailbox is busy", "system load",
            "congestion", "temporary server error", "currently unavailable", "not reachable",
            "server temporarily", "temporarily down", "server is down", "verification in progress",
            "callout", "unverified address", "connection refused", "lost connection",
            "insufficient disk space", "queue is full", " locked by", "lista gris", "перегруж",
            "graue liste", "liste grise",
        ],
        ServerTrouble,
    ),
    // The mailbox is full.
    (
        &[
            "over quota", "overquota", "quota exceeded", "exceeded*quota", "mailbox is full",
            "mailbox full", "reached its size limit",
        ],
        MailboxFull,
    ),
    // No server could be asked about the mailbox.
    (
        &[
            "domain not found", "host not found", "host unknown", "not found in dns",
            "best-preference mx", "null mx",
        ],
        NoDomain,
    ),
];

/// Words that usually mean one thing. The first row with a match counts, so the more exact words come
/// first. The translations are common among providers in that language.
#[rustfmt::skip]
pub(super) const WORDS: WordTable = &[
    // They block the sender, its server or its network.
    (
        &[
            "sender address", "not allowed to send", "not permitted to send",
            "not authorized to send", "not authorised to send", "may not send", "cannot send",
            "permission to send", "spf", "dkim", "dmarc", "sender policy", "reverse dns", "rdns",
            "reverse lookup", "ptr record", "ptr resource record", " ptr ", "no ptr", "ptr rr",
            "reverse host", "reverse-dns", "hostname*resolve", "helo", "ehlo", "authenticat",
            "relay", "blacklist", "black list", "blocklist", "block list", "block-list", "denylist",
            "deny list", "dnsbl", "rbl ", "rbl.", "-rbl", "spamhaus", "spamcop", "sorbs",
            "barracudacentral", "cloudmark", "ip*listed", "is listed", "are listed", "been listed",
            "host*listed", "reputation", "senderbase", "sender score", "senderscore", "banned",
            "tosa@", "ip frequency", "only members", "distribution list", "to this mailing list",
            "to this list", "approved senders", "blocked sender", "envelope blocked",
            "block for spam", "ipcheck", "your ip", "your host", "your server", "your mail server",
            "your network", "client host", "ip address*block", "ip address*reject",
            "ip address*denied", " ip *blocked", " ip *rejected", " ip *refused", "from ip",
            "complaint", "unsolicited", "bulk mail", "bulk e-mail", "spam source", "sending spam",
            "sends spam", "spammer", "known spam", "too much spam", "rate limit", "ratelimit",
            "rate-limit", "throttl", "too many messages", "too many mails", "too many emails",
            "too many e-mails", "sending too", "exceed*limit*sender", "daily limit", "hourly limit",
            "per hour", "recipientlimit", "only accepts mail from", "only accepts messages from",
            "restricted to", "not accept messages from", "does not accept mail from",
            "not accepting mail from", "refuses mail from", "whitelist", "trusted sender",
            "senders are", "allowed senders", "reputação", "reputación", "réputation",
            "schwarze liste", "liste noire", "lista negra", "liste nera", "lista nera", "czarn",
            "черн", "чорн", "kara liste", "ブラックリスト", "黑名单", "黑名單", "블랙리스트",
        ],
        PolicyRejected,
    ),
    // The mailbox is full: providers speak of quota or space.
    (
        &[
            "inbox full", "is full", "quota", "out of storage", "storage space", "storage limit",
            "storage allocation", "exceeded storage", "over the storage", "storage full",
            "disk space", "no space", "not enough space", "mailbox size", "size of the mailbox",
            "maildir over", "mailbox has exceeded", "mailbox exceeded", "mailbox exceeds",
            "exceeded mailbox", "over limit", "postfach*voll", "mailbox voll", "speicherplatz",
            "postfach*überfüllt", "pleine", "est plein", "boîte*saturée", "espace*insuffisant",
            "lleno", "llena", "cheia", "lotad", "sem espaço", "limite de espaço",
            "space not enough", "cuota", "espacio", "piena", "spazio", "is vol", "zit vol",
            "vol is", "pełn", "miejsca", "je pln", "plná", "переполнен", "место*ящик", "переповнен",
            "kotas", "doldu", "dolu", "kapasite", "満杯", "いっぱい", "容量", "一杯", "已满", "已滿", "空间不足",
            "空間不足", "超出", "가득", "용량", "초과", "är full", "megtelt", "מלאה", "מכסה",
        ],
        MailboxFull,
    ),
    // The mailbox is disabled.
    (
        &[
            "disabled", "deactivated", "suspended", "not active", "no longer active",
            "not activated", "account*closed", "has been closed", " locked", "expired account",
            "account*expired", "user*expired", "frozen", "dormant", "terminated",
            "account is blocked", "account blocked", "mailbox is blocked", "mailbox blocked",
            "user blocked", "user is blocked", "on hold", "gesperrt", "deaktiviert", "stillgelegt",
            "désactivé", "desactivé", "résilié", "deshabilitad", "desativad", "suspendu", "inactif",
            "fermé", "desactivad", "suspendid", "inativ", "inactiv", "suspens", "bloquead",
            "disattivat", "disabilitat", "sospes", "non attiv", "gedeactiveerd", "geblokkeerd",
            "uitgeschakeld", "opgeheven", "zablokowan", "nieaktywn", "wyłączon", "zawieszon",
            "deaktivov", "zablokov", "neaktivn", "заблокирован", "отключен", "отключён", "неактив",
            "заблокован", "вимкнен", "devre dışı", "askıya", "kapatıl", "pasif", "停止", "無効", "休止",
            "禁用", "停用", "冻结", "凍結", "关闭", "휴면", "정지", "비활성", "inaktiver", "avstängt", "spärrat",
            "letilt", "felfügg", "מושבת", "חסום",
        ],
        MailboxDisabled,
    ),
    // The domain is wrong: no server could be asked about the mailbox.
    (
        &[
            "host not found", "host unknown", "unknown host", "domain*not found",
            "domain*does not exist", "domain*doesn't exist", "no such domain", "unknown domain",
            "invalid domain", "bad domain", "nxdomain", "non-existent domain", "nonexistent domain",
            "domain name not", "no mx", "null mx", "nullmx", "mx record", "no mail exchanger",
            "mx resource record", "unrouteable mail domain", "unrouteable domain",
            "unroutable domain", "domain*unrouteable", "all relevant mx",
            "all host address lookups failed", "name or service not known", "does not accept mail",
            "does not accept email", "does not accept e-mail", "doesn't accept mail",
            "does not receive mail", "accepts no mail", "no mail server", "not handle mail for",
            "no mail host", "not a mail server", "domain is not hosted", "domain not hosted",
            "domain isn't hosted", "domain*not configured", "no longer hosts", "domain*expired",
            "dns domain", "dns error", "dns lookup", "name server", "nameserver",
            "unable to resolve", "not resolve", "mail server for*not found", "domain unknown",
            "look up host", "no address associated", "dominio*no encontrad",
            "domínio*não encontrad", "dominio*non trovat", "domaine*existe pas", "domaine inconnu",
            "domäne*nicht", "domain*existiert nicht", "domain*unbekannt", "dominio*no existe",
            "domínio*não existe", "dominio*inesistente", "dominio*non esiste",
            "domein*bestaat niet", "domena*nie", "doména*neexist", "домен", "alan adı", "ドメイン",
            "域名", "도메인", "domänen*finns inte",
        ],
        NoDomain,
    ),
    // The message is too large.
    (
        &[
            "too large", "too big", "too long", "size limit", "message size", "size exceeds",
            "exceeds*size", "maximum size", "max message", "larger than", "exceeds the maximum",
            "zu groß", "zu gross", "trop volumineux", "trop grand", "trop gros", "taille",
            "demasiado grande", "tamaño", "muito grande", "tamanho", "troppo grande", "dimension",
            "te groot", "zbyt duż", "rozmiar", "příliš vel", "velikost", "слишком больш", "размер",
            "завелик", "çok büyük", "boyut", "サイズ", "大きすぎ", "过大", "過大", "太大", "크기",
            "för stor", "túl nagy",
        ],
        MessageTooLarge,
    ),
    // The mailbox does not exist.
    (
        &[
            "user unknown", "unknown user", "unknown recipient", "recipient unknown",
            "unknown address", "address unknown", "unknown local", "unknown mailbox",
            "unknown account", "unknown or illegal", "is unknown", "unknown in", "no such",
            "no mailbox", "no user", "no account", "no recipient", "no valid recipient",
            "nosuchuser", "not our customer", "not a customer", "mailbox not found",
            "user not found", "recipient not found", "recipientnotfound", "address not found",
            "account not found", "could not be found", "couldn't be found", "can't find",
            "cannot find", "cannot be found", "not exist", "doesn't exist", "dosn't exist",
            "nonexist", "non-exist", "doesn't have a", "does not have a", "invalid recipient",
            "invalid mailbox", "invalid address", "invalid user", "invalid email",
            "invalid account", "bad address", "bad destination", "bad recipient", "bad mailbox",
            "illegal alias", "illegal user", "not a valid", "no longer valid", "not known",
            "isn't known", "not a known", "not recognized", "not recognised", "not listed in",
            "not in our", "not local", "no longer available", "no longer at", "no longer works",
            "no longer with", "left the company", "has left", "has moved", "unroutable address",
            "unrouteable", "address is incorrect", "address incorrect", "mailbox unavailable",
            "mailbox name not allowed", "mailbox not here", "misspelled", "typo",
            "check the spelling", "check the address", "not a user", "no person", "nobody here",
            "> unknown", "nicht bekannt", "cannot deliver mail for", "not a mailbox", "unbekannt",
            "existiert nicht", "nicht gefunden", "nicht vorhanden", "ungültig", "gibt es nicht",
            "kein solch", "n'existe p", "existe pas", "inconnu", "inexistant", "introuvable",
            "invalide", "no existe", "desconocid", "no encontrad", "inválid", "não existe",
            "inexistent", "desconhecid", "não encontrad", "nao existe", "non esiste", "inesistente",
            "sconosciut", "non trovat", "non valid", "bestaat niet", "onbekend", "niet gevonden",
            "ongeldig", "nie istnieje", "nie ma takiego", "nieznan", "nie znaleziono", "nieprawidł",
            "brak takiego", "neexistuje", "neznám", "nenalezen", "nebyl*nalezen", "не существует",
            "не найден", "неизвест", "недейств", "нет такого", "не існує", "не знайдено", "невідом",
            "bulunamad", "mevcut değil", "bilinmeyen", "geçersiz", "yok", "存在しません", "見つかりません",
            "宛先不明", "ありません", "不存在", "找不到", "无此", "無此", "无效", "無效", "没有", "존재하지", "없는", "없습니다",
            "찾을 수 없", "finns inte", "finns ej", "okänd", "hittades inte", "nem létez", "ismeretlen",
            "nem található", "לא קיים", "לא קיימת", "לא נמצא", "غير موجود",
        ],
        NoMailbox,
    ),
    // They reject the content.
    (
        &[
            "virus", "malware", "attachment", "attached file", "phishing", "malicious", "infected",
            "spam", "mime type", "mime part", "anhang", "pièce jointe", "adjunto", "anexo",
            "allegat", "bijlage", "załącznik", "příloh", "вирус", "вложени", "спам", "вірус",
            "ek dosya", "ウイルス", "迷惑メール", "添付", "病毒", "垃圾", "附件", "바이러스", "스팸", "첨부", "inhalt",
            "contenu", "contenid", "conteúdo", "inhoud", "treść", "obsah", "содержим", "içerik",
            "內容", "内容", "내용",
        ],
        ContentRejected,
    ),
];

/// Words that mean one thing unless other words, or a security or policy code, say more.
#[rustfmt::skip]
pub(super) const WEAK_WORDS: WordTable = &[
    (
        &[
            "undeliverable", "address rejected", "recipient*rejected", "rejected*recipient",
            "not valid", "deleted", "removed", "not found", "notfound", "isn't a", "user not",
            "not available at this", "unavailable mailbox", "mailbox not available",
            "not deliverable",
        ],
        NoMailbox,
    ),
    (
        &[
            "url", "link", "body", "header", "malformed", "encoding", "character", "subject",
            "signature", "suspicious", "suspected", "content", "unwanted", "junk",
        ],
        ContentRejected,
    ),
    // They block us.
    (
        &[
            "blocked", "policy", "policies", "denied", "not authorized", "not authorised",
            "unauthorized", "unauthorised", "prohibited", "forbidden", "not allowed",
            "not permitted", "permission", "restrict", "refused by", "administratively", "security",
            "not accepted", "unacceptable", "rejected by", "violat", "abuse", "richtlinie",
            "politique", "política", "politica", "beleid", "polityk", "политик", "політик", "ilke",
            "ポリシー", "拒否", "策略", "拒绝", "拒絕", "정책", "거부", "irányelv", "abgelehnt", "verweigert",
            "rejeté", "refusé", "rechazad", "rejeitad", "recusad", "rifiutat", "geweigerd",
            "odrzucon", "odmítnut", "отклонен", "отказано", "відхилен", "reddedil", "avvisat",
            "nekades", "elutasít",
        ],
        PolicyRejected,
    ),
    // No server answered in time.
    (
        &[
            "expired", "timed out", "time out", "timeout", "time-out", "too long in queue",
            "in queue too long", "retry time", "retry limit", "unable to deliver in",
            "could not be delivered for", "gave up", "giving up", "zeitüberschreitung", "délai",
            "tiempo", "tempo limite", "tempo esgotado", "タイムアウト", "超时", "逾時", "시간 초과",
        ],
        TimedOut,
    ),
    // The other server has a problem.
    (
        &[
            "try again", "please retry", "come back", "later", "temporar", "transient", "deferred",
            "busy", "overload", "unavailable", "not available", "connection refused",
            "refused to talk", "unable to connect", "could not connect", "can't connect",
            "cannot connect", "lost connection", "connection*closed", "connection*reset",
            "connection lost", "connection dropped", "no answer", "unreachable", "no route", "loop",
            "too many hops", "hop count", "internal error", "internal server", "local error",
            "system error", "server error", "processing error", "insufficient system",
            "system storage", "system full", "resources", "not accepting", "closing", "down",
            "maintenance", "database", "ldap", "lookup fail", "lookup error", "tls", "certificate",
            "handshake", "configuration error", "misconfig", "i/o error", "queue file",
            "out of memory", "vorübergehend", "später", "überlastet", "nicht erreichbar",
            "temporaire", "plus tard", "indisponible", "temporal", "más tarde", "temporári",
            "mais tarde", "temporane", "più tardi", "tijdelijk", "tymczasow", "później", "dočasn",
            "později", "временн", "позже", "попробуйте", "тимчасов", "пізніше", "geçici",
            "daha sonra", "一時", "混み合", "átmenetileg", "後ほど", "混雑", "稍后", "稍後", "暂时", "暫時", "나중에",
            "일시", "tillfällig", "senare", "később", "ideiglenes",
        ],
        ServerTrouble,
    ),
];

/// The cause from the first row with a match in the answer.
pub(super) fn find(words: WordTable, diagnostic: &str) -> Option<BounceCause> {
    let all_occur = |pattern: &str| {
        let mut rest = diagnostic;
        pattern.split('*').all(|part| {
            let found = rest.split_once(part);
            rest = found.map_or(rest, |(_, after)| after);
            found.is_some()
        })
    };
    let (_, cause) = words
        .iter()
        .find(|(patterns, _)| patterns.iter().any(|pattern| all_occur(pattern)))?;
    Some(*cause)
}
