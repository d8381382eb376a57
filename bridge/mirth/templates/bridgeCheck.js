/**
	Says everything that is wrong with a document, without translating it. For look-ups in a filter or transformer: the
	thread waits for the answer. It throws nothing.

	@param {String} body - The document: HL7 v2, FHIR JSON, DICOM JSON, or DICOM as Base64.
	@param {Object} options - Parameters of the call, { strict: true }; contentType says what the document is.
	@return {Object} ok (true or false; null: nobody knows, try again), issues (code, severity, path, message), error.
*/
function bridgeCheck(body, options) {
    var given = options || {};
    var answer = bridgeCall('/v1/check?' + bridgeQuery(given).substring(1), body, given.contentType);
    var means = bridgeVerdict(answer.status, answer.body);
    try {
        var said = JSON.parse(answer.body);
        if (means === 'done') {
            return { ok: said.ok, issues: said.issues, error: '' };
        }
    } catch (notJson) {
        means = 'wait';
    }
    var error = answer.status ? 'HTTP ' + answer.status + ' ' + bridgeReason(answer.body) : 'no answer: ' + answer.error;
    return { ok: means === 'stop' ? false : null, issues: [], error: error };
}
