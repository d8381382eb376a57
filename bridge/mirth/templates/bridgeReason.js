/**
	Returns the reason that an answer of the bridge gives; it holds no value of the document.

	@param {String} body - Body of the answer: a problem (RFC 9457) or an OperationOutcome.
	@return {String} One sentence, or nothing.
*/
function bridgeReason(body) {
    var issue = {};
    var said = {};
    try {
        said = JSON.parse(body) || {};
        issue = said.resourceType === 'OperationOutcome' ? said.issue[0] : {};
    } catch (notJson) {
        return '';
    }
    return String(said.detail || issue.diagnostics || (issue.details && issue.details.text) || '');
}
