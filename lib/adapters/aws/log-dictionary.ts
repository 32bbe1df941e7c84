// What the events of a log have in common, for deflate: neighbours in one row share more, but most rows of a quiet tenant have one
// decision. INVARIANT: never edited, or events that are stored no longer open; another dictionary is another format. Pure data.

/** Format 1. What is most frequent is last. */
export const LOG_DICTIONARY_1 = Buffer.from(
  '"api":{"operation":"POST /token","request":{"uid":""},"response":{"code":400,"error":"","error_message":""},"service":' +
    '{"name":"mintmark","uid":"https://"}},"category_name":"Application Activity","category_uid":6,"class_name":' +
    '"API Activity","class_uid":6003,"http_response":{"code":400},"message":"an exchange was denied","severity":"Medium",' +
    '"severity_id":3,"src_endpoint":{"ip":""},"status":"Failure","status_code":"","status_detail":"","status_id":2,' +
    '"type_uid":600301,"is_verified":false,"reason":"","reason_detail":{}' +
    '"class_name":"Authorize Session","class_uid":3003,"message":"the credential carries scopes","privileges":[""],' +
    '"status_code":"scope_granted","type_uid":300301,' +
    '{"activity_id":4,"actor":{"authorizations":[{"decision":"Denied"}],"decision":"Granted","policy":{"is_applied":true,' +
    '"name":"deploy-","uid":"deploy-","version":"1"}}],"idp":{"name":"github","uid":' +
    '"https://token.actions.githubusercontent.com"},"user":{"name":"repo:ref:refs/heads/main:environment:production",' +
    '"type":"Service","type_id":4,"uid":"repo:"}},"attestation_list":[{"authority_uid":"https://","chain_uid":"/log",' +
    '"fingerprint":{"algorithm":"SHA-256","algorithm_id":3,"encoding":"Hexadecimal","encoding_id":1,"serialization":"JCS",' +
    '"serialization_id":2,"value":""},"prev_event":{"fingerprint":{"algorithm":"SHA-256","algorithm_id":3,"encoding":' +
    '"Hexadecimal","encoding_id":1,"serialization":"JCS","serialization_id":2,"value":""},"type_uid":300204,"uid":""},' +
    '"uid":""}],"auth_protocol":"OAUTH 2.0","auth_protocol_id":6,"authentication_token":{"created_time":17,' +
    '"expiration_time":17,"is_renewable":false,"type":"at+jwt","type_id":99,"uid":""},"category_name":' +
    '"Identity & Access Management","category_uid":3,"class_name":"Authentication","class_uid":3002,"dst_endpoint":' +
    '{"svc_name":"https://"},"is_remote":true,"logon_type":"Network","logon_type_id":3,"message":' +
    '"a credential was granted","metadata":{"correlation_uid":"","log_name":"mintmark.audit","product":{"name":"Mintmark",' +
    '"vendor_name":"Mintmark","version":"0.1.0"},"profiles":["record_integrity"],"sequence":0,"tenant_uid":"","uid":"",' +
    '"version":"1.9.0"},"service":{"name":"mintmark","uid":"https://"},"session":{"created_time":17,"expiration_time":17,' +
    '"is_remote":true,"issuer":"https://","uid":""},"severity":"Informational","severity_id":1,"status":"Success",' +
    '"status_code":"granted","status_id":1,"time":17,"type_uid":300204,"unmapped":{"mintmark":{"config_version":1,' +
    '"credential":{"alg":"ES256","ancestors":[],"audience":"https://","fingerprint":"","kid":"","scope":"","type":' +
    '"access_token"},"decision_id":"","evidence":{"alg":"RS256","claims_sha256":"","exp":17,"iat":17,"issuer":' +
    '"https://token.actions.githubusercontent.com","issuer_name":"github","jti":"","kid":"","replay_key":""},"grant":' +
    '"deploy-","trace_id":"","v":1,"verdicts":{"deploy-":"1111"},"wid":{"actor.id":"","actor.name":"","assurance":"bearer",' +
    '"commit":"","config.digest":"","config.ref":"refs/heads/main","config.uri":"","environment.name":"production",' +
    '"issuer":"https://token.actions.githubusercontent.com","org.id":"","org.name":"","project.id":"","project.path":"",' +
    '"provider":"github","ref.full":"refs/heads/main","ref.name":"main","ref.protected":true,"ref.type":"branch",' +
    '"run.attempt":"1","run.id":"","run.job":"","runner.class":"hosted","trigger.class":"push","trigger.raw":"push",' +
    '"untrusted_source":false,"visibility":"private","workflow.digest":"","workflow.ref":"refs/heads/main",' +
    '"workflow.uri":"/.github/workflows/"}}},"user":{"name":"ci/","type":"Service","type_id":4,"uid":"spiffe://ci/"}}',
)
