/**
	Sends a document to the bridge and returns what came back. It throws nothing: without an answer the status is 0.

	@param {String} path - Path and query below the address of the bridge, "/v1/translate?to=fhir".
	@param {String} body - The document; DICOM as the Base64 text that Mirth keeps it in.
	@param {String} contentType - What the document is; left out: told from its first characters.
	@return {Object} status, type (media type of the answer), body (its text, or Base64 of DICOM), error.
*/
function bridgeCall(path, body, contentType) {
    var http = Packages.org.apache.http;
    var result = { status: 0, type: '', body: '', error: '' };
    var client = null;
    var answer = null;

    function typeOf(text) {
        if (/^[\x0b\s\ufeff]*(MSH|FHS|BHS)/.test(text)) {
            return 'x-application/hl7-v2+er7; charset=UTF-8';
        }
        return /^\s*[\[{]/.test(text) ? 'application/json' : 'application/dicom';
    }

    function close(what) {
        try {
            if (what !== null) {
                what.close();
            }
        } catch (ignored) {
            // Nothing more can be done for a connection that does not close.
        }
    }

    try {
        var text = String(body);
        var config = http.client.config.RequestConfig.custom()
            .setConnectTimeout(@{connect-timeout})
            .setConnectionRequestTimeout(@{connect-timeout})
            .setSocketTimeout(@{timeout})
            .setRedirectsEnabled(false)
            .build();
        client = http.impl.client.HttpClients.custom()
            .setDefaultRequestConfig(config)
            .disableAutomaticRetries()
            .disableRedirectHandling()
            .disableCookieManagement()
            .build();
        var post = new http.client.methods.HttpPost(@{url} + path);
        post.setHeader('Content-Type', contentType ? String(contentType) : typeOf(text));
        post.setHeader('User-Agent', 'Mirth Connect, code template of the bridge');
        @{+api-key}
        post.setEntity(new http.entity.ByteArrayEntity(new Packages.java.lang.String(text).getBytes('UTF-8')));
        answer = client.execute(post);
        var entity = answer.getEntity();
        if (entity !== null) {
            var type = entity.getContentType();
            result.type = type === null ? '' : String(type.getValue());
            if (/^application\/dicom(;|$)/.test(result.type)) {
                var bytes = http.util.EntityUtils.toByteArray(entity);
                result.body = String(Packages.java.util.Base64.getEncoder().encodeToString(bytes));
            } else {
                result.body = String(http.util.EntityUtils.toString(entity, 'UTF-8'));
            }
        }
        result.status = Number(answer.getStatusLine().getStatusCode());
    } catch (error) {
        result.body = '';
        result.error = String(error.message || error);
    } finally {
        close(answer);
        close(client);
    }
    return result;
}
